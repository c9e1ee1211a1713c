//! Whether an account can be connected to anybody but the user who consented, in the browser that began: variants of
//! fixation, mix-up, replay, pollution and forged callbacks, over real HTTP. Each variant has a control run, in which
//! the same flow without the attack connects; so nothing is refused merely because it never worked.

mod attacks;
mod variants;
mod world;

use std::collections::BTreeSet;

use taiku_tests::{Goal, figure};

use self::variants::VARIANTS;
use self::world::World;
use crate::engine::Engine;

mod sqlite {
    #[tokio::test]
    async fn nobody_is_connected_to_an_account_of_somebody_else() {
        super::measure(super::Engine::Sqlite).await;
    }
}

mod postgres {
    #[tokio::test]
    async fn nobody_is_connected_to_an_account_of_somebody_else() {
        if let Some(engine) = super::Engine::postgres().await {
            super::measure(engine).await;
        }
    }
}

async fn measure(engine: Engine) {
    let names: BTreeSet<_> = VARIANTS.iter().map(|variant| variant.name).collect();
    assert_eq!(names.len(), VARIANTS.len(), "each variant has a name of its own");
    let world = World::start(&engine).await;
    let mut wrong = Vec::new();
    for variant in VARIANTS {
        wrong.extend(variant.run(&world).await);
        world.clean().await;
    }
    for wrong in &wrong {
        eprintln!("wrong binding: {wrong}");
    }
    let spent = world.collector.arrived();
    assert_eq!(spent, 0, "the token endpoint of the malicious toolkit was asked");
    let count = |number: usize| u32::try_from(number).map_or(f64::MAX, f64::from);
    figure(
        "variants of fixation, mix-up, replay and forgery",
        engine.name(),
        count(VARIANTS.len()),
        "",
        Goal::AtLeast(60.0),
    );
    figure("wrong bindings", engine.name(), count(wrong.len()), "", Goal::Exactly(0.0));
}
