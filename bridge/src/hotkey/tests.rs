use proptest::prelude::*;

use super::*;

fn name(text: &str, system: System) -> String {
    Chord::parse(text, system).map_or_else(|error| error.to_string(), |chord| chord.name())
}

fn press(modifiers: &str, key: &str, code: &str) -> String {
    let held = |name: &str| modifiers.contains(name);
    let press = Press { ctrl: held("c"), alt: held("a"), shift: held("s"), meta: held("m"), key, code };
    Chord::pressed(press).map_or_else(String::new, |chord| chord.name())
}

#[test]
fn cmd_is_another_key_on_each_system() {
    assert_eq!(name("Cmd+Shift+A", System::Mac), "Shift+Meta+A");
    assert_eq!(name("Cmd+Shift+A", System::Other), "Ctrl+Shift+A");
    assert_eq!(Chord::parse("Cmd+Shift+A", System::Mac).unwrap().shown(System::Mac), "⇧⌘A");
}

#[test]
fn one_combination_has_one_name() {
    for text in ["ctrl+alt+k", "Alt+Ctrl+K", " Option + Control + k "] {
        assert_eq!(name(text, System::Other), "Ctrl+Alt+K", "{text}");
    }
    for (text, expected) in [
        ("Cmd++", "Ctrl++"),
        ("Cmd+Plus", "Ctrl++"),
        ("f2", "F2"),
        ("alt+up", "Alt+ArrowUp"),
        ("Alt+ä", "Alt+Ä"),
    ] {
        assert_eq!(name(text, System::Other), expected, "{text}");
    }
}

#[test]
fn what_is_no_combination_is_refused() {
    for (text, error) in [
        ("", ChordError::UnknownKey),
        ("Cmd+", ChordError::UnknownKey),
        ("+", ChordError::NeedsModifier),
        ("Hyper+A", ChordError::UnknownModifier),
        ("Cmd+AB", ChordError::UnknownKey),
        ("F25", ChordError::UnknownKey),
        ("Ctrl+\u{7}", ChordError::UnknownKey),
        ("A", ChordError::NeedsModifier),
        ("Shift+A", ChordError::NeedsModifier),
        ("?", ChordError::NeedsModifier),
    ] {
        assert_eq!(Chord::parse(text, System::Other), Err(error), "{text:?}");
    }
}

#[test]
fn a_press_is_the_combination_it_was_meant_as() {
    // Letters and digits by what they write; what Shift and Option make of a key by its place.
    assert_eq!(press("cs", "A", "KeyQ"), "Ctrl+Shift+A");
    assert_eq!(press("c", "a", "KeyA"), "Ctrl+A");
    assert_eq!(press("cs", "!", "Digit1"), "Ctrl+Shift+1");
    assert_eq!(press("a", "å", "KeyA"), "Alt+A");
    assert_eq!(press("cs", "?", "Slash"), "Ctrl+Shift+/");
    assert_eq!(press("a", "ArrowUp", "ArrowUp"), "Alt+ArrowUp");
    for only in ["Control", "Shift", "Alt", "Meta", "Dead", "Process"] {
        assert_eq!(press("c", only, ""), "", "{only}");
    }
}

#[test]
fn what_browsers_and_this_page_use_is_reserved() {
    for text in ["Cmd+T", "Cmd+W", "Cmd+R", "Cmd+Shift+N", "Cmd+C", "F6", "F5", "Alt+Left"] {
        for system in [System::Mac, System::Other] {
            assert!(Chord::parse(text, system).unwrap().is_reserved(system), "{text} {system:?}");
        }
    }
    for text in ["Cmd+Shift+A", "Alt+D", "Ctrl+Alt+T", "F2"] {
        assert!(!Chord::parse(text, System::Other).unwrap().is_reserved(System::Other), "{text}");
    }
    assert!(
        !Chord::parse("Ctrl+T", System::Mac).unwrap().is_reserved(System::Mac),
        "Control is free on a Mac"
    );
}

fn wish(owner: &str, text: &str) -> Wish {
    Wish { owner: owner.into(), chord: Chord::parse(text, System::Other) }
}

fn choice(chord: &str, owner: Option<&str>) -> Choice {
    Choice { chord: chord.into(), owner: owner.map(Into::into) }
}

#[test]
fn the_first_keeps_a_combination_until_the_user_says_otherwise() {
    let wishes = [wish("a", "Alt+K"), wish("b", "Option+k"), wish("c", "Cmd+T"), wish("d", "K")];
    let settled = settle(&wishes, &[], System::Other);
    let error = ChordError::NeedsModifier;
    assert_eq!(
        settled,
        [Standing::Active, Standing::Taken("a".into()), Standing::Reserved, Standing::Unreadable(error)]
    );
    let settled = settle(&wishes, &[choice("Alt+K", Some("b"))], System::Other);
    assert_eq!(settled[..2], [Standing::Taken("b".into()), Standing::Active]);
    assert_eq!(settle(&wishes, &[choice("Alt+K", None)], System::Other)[..2], [Standing::Off, Standing::Off]);
    let gone = settle(&wishes, &[choice("Alt+K", Some("gone"))], System::Other);
    assert_eq!(gone[0], Standing::Active, "a choice for what is gone is none");
}

fn texts() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "Cmd", "ctrl", "Alt", "Shift", "A", "b", "F6", "Up", "+", "ß", "", "x y", "\0",
    ]);
    prop_oneof![prop::collection::vec(part, 0..5).prop_map(|parts| parts.join("+")), any::<String>(),]
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_and_its_name_means_the_same(text in texts(), mac: bool) {
        let system = if mac { System::Mac } else { System::Other };
        if let Ok(chord) = Chord::parse(&text, system) {
            prop_assert_eq!(Chord::parse(&chord.name(), system), Ok(chord.clone()));
            prop_assert!(!chord.shown(system).is_empty());
        }
    }

    #[test]
    fn any_press_is_read_or_not(key: String, code: String, held: [bool; 4]) {
        let [ctrl, alt, shift, meta] = held;
        let _ = Chord::pressed(Press { ctrl, alt, shift, meta, key: &key, code: &code });
    }

    #[test]
    fn a_combination_has_one_owner_at_the_most(
        wanted in prop::collection::vec(texts(), 0..12),
        chosen in prop::collection::vec((texts(), prop::option::of(0_usize..12)), 0..6),
    ) {
        let wishes: Vec<Wish> = wanted.iter().enumerate().map(|(place, text)| wish(&place.to_string(), text)).collect();
        let choices: Vec<Choice> = chosen
            .iter()
            .filter_map(|(text, owner)| {
                let chord = Chord::parse(text, System::Other).ok()?.name();
                Some(Choice { chord, owner: owner.map(|owner| owner.to_string()) })
            })
            .collect();
        let settled = settle(&wishes, &choices, System::Other);
        prop_assert_eq!(settled.len(), wishes.len());
        let mut active = Vec::new();
        for (wish, standing) in wishes.iter().zip(&settled) {
            if *standing == Standing::Active {
                let chord = wish.chord.clone().unwrap();
                prop_assert!(!chord.is_reserved(System::Other));
                prop_assert!(!active.contains(&chord), "{} has two owners", chord.name());
                active.push(chord);
            }
        }
    }
}
