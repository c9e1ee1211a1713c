//! How often somebody may try to sign in.
//!
//! Wrong passwords count against the one who tries: an address together with where the attempt comes from, so that
//! ten guesses of a stranger do not lock out its owner, and the address as a whole, so that guesses from everywhere
//! have an end. A browser in which the user has signed in before has a count of its own, and neither of the others
//! holds it up. The counts are in the database: all brokers share them.

use std::net::IpAddr;

use taiku_bridge::{Code, Refusal};

use crate::broker::Broker;
use crate::failure::Failure;
use crate::store::allowances::{self, Measure, Taken};
use crate::vault::hash::sha256;

/// Wrong passwords in a browser that is known.
const BROWSER: Measure = Measure { kind: "sign_in_browser", burst: 10, per_hour: 40 };
/// Wrong passwords for one address from one place.
const PLACE: Measure = Measure { kind: "sign_in_place", burst: 10, per_hour: 40 };
/// Wrong passwords for one address from everywhere.
const ADDRESS: Measure = Measure { kind: "sign_in_address", burst: 100, per_hour: 400 };

/// Who tries.
#[derive(Clone, Debug)]
pub enum Attempt {
    /// A browser in which this user has signed in before, by the SHA-256 of its cookie.
    Known(Vec<u8>),
    /// Anybody else.
    Stranger {
        /// The address, in normal form.
        email: String,
        /// Where the request comes from, if that is known.
        from: Option<IpAddr>,
    },
}

impl Attempt {
    /// What it counts against.
    fn counts(&self) -> Vec<(Measure, String)> {
        match self {
            Self::Known(hash) => vec![(BROWSER, hex(hash))],
            Self::Stranger { email, from } => {
                // Hashed: what is typed into the wrong field must not be in the database.
                let place = format!("{email}\n{}", from.map(network).unwrap_or_default());
                vec![(PLACE, hex(&sha256(place.as_bytes()))), (ADDRESS, hex(&sha256(email.as_bytes())))]
            }
        }
    }
}

/// Lets somebody try, and counts the attempt as failed until it has worked: of many attempts at the same time each
/// must see those before it.
///
/// # Errors
/// `rate_limited` after too many wrong passwords.
pub async fn begin(broker: &Broker, attempt: &Attempt) -> Result<(), Failure> {
    let now = broker.clock.now();
    let mut tx = broker.store.write().await?;
    for (measure, subject) in attempt.counts() {
        if let Taken::None { wait } = allowances::take(&mut tx, measure, &subject, 1, now).await? {
            let seconds = (wait / 1000 + 1).unsigned_abs();
            let message = format!(
                "Too many wrong passwords for this address. Wait {seconds} s, or sign in with a browser in which \
                 you have signed in before."
            );
            return Err(Failure::Wait(Refusal::new(Code::RateLimited, message), seconds));
        }
    }
    tx.commit().await?;
    Ok(())
}

/// The password was right: nothing of this attempt counts, and nothing before it from the same place.
///
/// # Errors
/// When the database fails.
pub async fn worked(broker: &Broker, attempt: &Attempt) -> Result<(), Failure> {
    let now = broker.clock.now();
    let mut tx = broker.store.write().await?;
    for (measure, subject) in attempt.counts() {
        if measure == ADDRESS {
            // Others go on guessing: theirs still count.
            allowances::give_back(&mut tx, measure, &subject, 1, now).await?;
        } else {
            allowances::forget(&mut tx, measure, &subject).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// The network that an address is of: of IPv6 the part that one customer has.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_customers_addresses_are_one_place() {
        let place = |text: &str| network(text.parse().unwrap());
        assert_eq!(place("2001:db8:1:2:3::4"), place("2001:db8:1:2:ffff::1"));
        assert_ne!(place("2001:db8:1:2::1"), place("2001:db8:1:3::1"));
        assert_eq!(place("::ffff:192.0.2.1"), "192.0.2.1");
        assert_ne!(place("192.0.2.1"), place("192.0.2.2"));
    }

    #[test]
    fn what_was_typed_is_not_stored() {
        let stranger = Attempt::Stranger { email: "my password".into(), from: None };
        assert!(stranger.counts().iter().all(|(_, subject)| !subject.contains("password")));
        assert_eq!(Attempt::Known(vec![0xab]).counts(), [(BROWSER, "ab".to_owned())]);
    }
}
