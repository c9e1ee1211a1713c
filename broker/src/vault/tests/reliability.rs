//! What is measured at full size by `cargo xtask reliability`. Case E7.

use super::*;

#[test]
fn no_record_shares_its_key_with_another() {
    let full = std::env::var("TAIKU_RELIABILITY_SCALE").is_ok_and(|scale| scale == "full");
    let records: usize = if full { 10_000_000 } else { 40_000 };
    let vault = vault();
    // The salt alone makes the record's key; half of it tells two of them apart.
    let salt = |_| {
        let record = vault.seal(Ring::RefreshTokens, &place(), b"same");
        u128::from_be_bytes(record[19..35].try_into().unwrap())
    };
    let mut salts: Vec<u128> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| (0..records / 8).map(salt).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    salts.sort_unstable();
    let twice = salts.windows(2).filter(|pair| pair[0] == pair[1]).count();
    println!("figure: keys of records that were used twice in {records} - = {twice} (goal 0)");
    assert_eq!((salts.len(), twice), (records, 0));
}
