//! What programs that people use write.

use super::*;

#[test]
fn what_was_written_is_read_back() {
    let long = "text that repeats ".repeat(1000);
    let list =
        [("manifest.json", MANIFEST_TEXT), ("img/é b.svg", "<svg>"), ("empty", ""), ("long.txt", &*long)];
    let files = files(&list);
    let archive = write(&files).unwrap();
    let again = read(&archive).unwrap();
    same(&again, &list);
    assert_eq!(again.hash(), files.hash());
    assert!(archive.len() < long.len() / 4, "{} bytes", archive.len());
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let (a, b) = (("manifest.json", MANIFEST_TEXT), ("b.html", "<p>"));
    assert_eq!(write(&files(&[a, b])).unwrap(), write(&files(&[b, a])).unwrap());
    // Written once and for ever: an author can publish the hash of a packed plugin.
    let archive = write(&files(&[a])).unwrap();
    assert_eq!(archive.len(), 30 + 13 + MANIFEST_TEXT.len() + 46 + 13 + 22);
    assert_eq!(crc(&archive), 0x4deb_b70a);
}

#[test]
fn other_programs_read_what_was_written() {
    let archive = write(&files(&[("manifest.json", MANIFEST_TEXT), ("a/b.txt", &"x".repeat(5000))])).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("plugin.zip");
    std::fs::write(&at, archive).unwrap();
    let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; \
                  print([(i.filename, i.file_size, oct(i.external_attr >> 16)) for i in z.infolist()])";
    let done = std::process::Command::new("python3").args(["-c", script]).arg(&at).output().unwrap();
    assert_eq!(
        String::from_utf8(done.stdout).unwrap(),
        "[('a/b.txt', 5000, '0o100644'), ('manifest.json', 10, '0o100644')]\n",
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

#[test]
fn one_common_folder_is_the_plugin() {
    let archive = zip(&[
        stored("mine/", ""),
        stored("mine/manifest.json", MANIFEST_TEXT),
        stored("mine/img/", ""),
        deflated("mine/img/a.svg", "<svg>"),
    ]);
    same(&read(&archive).unwrap(), &[("manifest.json", MANIFEST_TEXT), ("img/a.svg", "<svg>")]);
    let two = zip(&[stored("mine/manifest.json", MANIFEST_TEXT), stored("yours/panel.html", "")]);
    assert_eq!(read(&two).unwrap_err(), ArchiveError::NoManifest);
    let deeper = zip(&[stored("a/b/manifest.json", MANIFEST_TEXT)]);
    assert_eq!(read(&deeper).unwrap_err(), ArchiveError::NoManifest);
    assert_eq!(read(&zip(&[])).unwrap_err(), ArchiveError::NoManifest);
}

#[test]
fn hidden_files_are_left_out_as_they_are_of_a_folder() {
    let archive = zip(&[
        stored("mine/manifest.json", MANIFEST_TEXT),
        stored("mine/.DS_Store", "x"),
        stored("mine/.git/config", "x"),
        stored("__MACOSX/mine/._manifest.json", "x"),
    ]);
    same(&read(&archive).unwrap(), &[("manifest.json", MANIFEST_TEXT)]);
}

#[test]
fn sizes_may_follow_the_content() {
    for signature in [&b"PK\x07\x08"[..], b""] {
        let mut entry = Made { flags: 8, ..deflated("a.txt", "hello hello hello") };
        entry.descriptor = signature.to_vec();
        let sizes = [entry.crc, entry.packed.len() as u32, entry.size];
        entry.descriptor.extend(sizes.map(u32::to_le_bytes).as_flattened());
        let archive = zip(&[entry.clone(), stored("manifest.json", MANIFEST_TEXT)]);
        same(&read(&archive).unwrap(), &[("manifest.json", MANIFEST_TEXT), ("a.txt", "hello hello hello")]);
        let last = entry.descriptor.len() - 1;
        entry.descriptor[last] ^= 1;
        let fault = read(&zip(&[entry, stored("manifest.json", MANIFEST_TEXT)])).unwrap_err();
        assert_eq!(fault, ArchiveError::Entry { name: "a.txt".into(), fault: EntryFault::Differs });
    }
}

#[test]
fn a_comment_at_the_end_is_read_over() {
    // Archives of repositories carry the commit there; and a comment may look like another end.
    for comment in [&b"d670460b4b4aece5915caf5c68d12f560a9fe3e4"[..], b"PK\x05\x06 looks like an end record"]
    {
        let archive = zip_with(&[stored("manifest.json", MANIFEST_TEXT)], 1, comment);
        same(&read(&archive).unwrap(), &[("manifest.json", MANIFEST_TEXT)]);
    }
}

#[test]
fn what_would_not_be_read_back_is_not_written() {
    let manifest = ("manifest.json", MANIFEST_TEXT);
    assert_eq!(write(&files(&[("a", "")])).unwrap_err(), ArchiveError::NoManifest);
    for path in ["../a", "/a", "a\\b", "A:", ".hidden", "a/.b", "Manifest.json", "manifest.json/a"] {
        assert!(write(&files(&[manifest, (path, "")])).is_err(), "{path}");
    }
    let big = Files::new(BTreeMap::from([
        ("manifest.json".to_owned(), MANIFEST_TEXT.into()),
        ("big".to_owned(), vec![0; MAX_BYTES].into()),
    ]));
    assert_eq!(write(&big).unwrap_err(), ArchiveError::TooMuch("manifest.json".into()));
}

#[test]
fn a_plugin_of_the_largest_size_that_does_not_compress_fits() {
    let mut state = 1_u32;
    let noise = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let noise: Vec<u8> = (0..MAX_BYTES - MANIFEST_TEXT.len()).map(noise).collect();
    let archive = zip(&[stored("manifest.json", MANIFEST_TEXT), stored("noise", noise)]);
    assert!(archive.len() <= MAX_ARCHIVE);
    assert!(read(&archive).is_ok());
}
