//! Archives that nobody thought of.

use proptest::prelude::*;

use super::*;

fn any_files() -> impl Strategy<Value = BTreeMap<String, Vec<u8>>> {
    let path = "[a-zé]{1,4}(/[a-z]{1,3}){0,2}";
    proptest::collection::btree_map(path, proptest::collection::vec(any::<u8>(), 0..200), 0..12)
}

/// A name of parts that matter to a reader of paths.
fn any_name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("..".to_owned()),
        Just(".".to_owned()),
        Just("/".to_owned()),
        Just("\\".to_owned()),
        Just("C:".to_owned()),
        Just("\0".to_owned()),
        "\\PC{0,3}",
    ];
    proptest::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn what_can_be_written_is_read_back(files in any_files()) {
        let mut files: BTreeMap<_, _> = files.into_iter().map(|(path, c)| (path, Bytes::from(c))).collect();
        files.insert("manifest.json".into(), MANIFEST_TEXT.into());
        let files = Files::new(files);
        if let Ok(archive) = write(&files) {
            let again = read(&archive).unwrap();
            prop_assert_eq!(again.hash(), files.hash());
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes);
        let _ = read(&[&bytes[..], b"PK\x05\x06\0\0\0\0\x01\0\x01\0", &bytes].concat());
    }

    /// One changed byte is noticed, or changes nothing that counts: a date, a version, a permission.
    #[test]
    fn a_changed_byte_never_changes_content(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let files = files(&[("manifest.json", MANIFEST_TEXT), ("a/b.txt", "hello hello hello hello"), ("c", "x")]);
        let mut archive = write(&files).unwrap();
        let at = at.index(archive.len());
        archive[at] ^= 1 << bit;
        if let Ok(read) = read(&archive) {
            prop_assert_eq!(read.hash(), files.hash(), "byte {}", at);
        }
    }

    #[test]
    fn an_archive_cut_anywhere_is_refused(at in any::<prop::sample::Index>()) {
        let archive = write(&files(&[("manifest.json", MANIFEST_TEXT), ("a", "x")])).unwrap();
        let at = at.index(archive.len());
        prop_assert!(read(&archive[..at]).is_err());
        prop_assert!(read(&archive[at + 1..]).is_err());
    }

    #[test]
    fn no_name_leads_out(name in any_name(), other in any_name()) {
        let made = [stored("manifest.json", MANIFEST_TEXT), stored(&name, "1"), stored(&other, "2")];
        let Ok(read) = read(&zip(&made)) else { return Ok(()) };
        for path in read.paths() {
            prop_assert!(taiku_bridge::manifest::path_fault(path).is_none(), "{path:?}");
            prop_assert!(!path.starts_with(['/', '\\', '.']), "{path:?}");
        }
    }

    /// Fields that lie at random: sizes, methods, flags, modes, offsets.
    #[test]
    fn lying_fields_never_panic(
        size in any::<u32>(), method in 0_u16..12, flags in any::<u16>(), mode in any::<u16>(),
        offset in proptest::option::of(0_u32..200), extra in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let entry = Made { size, method, flags, mode, offset, extra, ..deflated("entry", "hello hello") };
        if let Ok(read) = read(&with(entry)) {
            prop_assert_eq!(read.get("entry").map(|content| &content[..]), Some(&b"hello hello"[..]));
        }
    }
}
