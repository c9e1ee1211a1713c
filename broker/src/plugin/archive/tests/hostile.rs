//! Case B7: archives that want out, explode, collide or lie.

use std::process::Command;
use std::time::Duration;

use super::*;

/// The fault of an archive, found within the time that a stranger's archive may cost.
#[track_caller]
fn refused(archive: &[u8]) -> ArchiveError {
    let began = on_cpu();
    let fault = read(archive).unwrap_err();
    let took = on_cpu().saturating_sub(began);
    assert!(took < Duration::from_secs(2), "took {took:?}");
    fault
}

/// How long this thread has run, which other tests beside it do not change.
fn on_cpu() -> Duration {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(schedule.split(' ').next().unwrap().parse().unwrap())
}

/// The most memory that this process ever had, in bytes.
fn most_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// The fault of an entry beside a manifest, and that it names the entry.
#[track_caller]
fn fault(entry: Made) -> EntryFault {
    let named = String::from_utf8_lossy(&entry.name).into_owned();
    let error = refused(&with(entry));
    let ArchiveError::Entry { name, fault } = error else { panic!("{error}") };
    let comparable =
        |text: &str| text.chars().filter(char::is_ascii_alphanumeric).take(20).collect::<String>();
    let (name, named) = (comparable(name.trim_start_matches("\\u{0}")), comparable(&named));
    assert!(name.starts_with(&named) || named.contains("nul"), "{name} is not {named}");
    fault
}

#[test]
fn paths_that_lead_out_are_refused() {
    let long = "a/".repeat(300) + "b";
    for name in [
        "../evil",
        "a/../../evil",
        "a/..",
        "./a",
        "a//b",
        "/etc/passwd",
        "//server/share",
        "C:\\evil",
        "C:/evil",
        "C:evil",
        "..\\evil",
        "a\\..\\..\\evil",
        "\\\\server\\share",
        "nul\0byte",
        "new\nline",
        "%2e%2e/evil",
        "a?b",
        "",
        "/",
        "..",
        "../",
        &long,
    ] {
        let error = refused(&with(stored(name, "x")));
        assert!(
            matches!(&error, ArchiveError::Entry { fault: EntryFault::Name(_), .. }),
            "{name:?}: {error}"
        );
        assert!(!error.to_string().contains(['\0', '\n']), "{error}");
        assert!(error.to_string().len() < 400, "{error}");
    }
    assert_eq!(fault(stored(b"caf\xE9", "x")), EntryFault::Name("is not UTF-8"));
}

#[test]
fn a_name_in_an_error_is_short_and_plain() {
    let error = refused(&with(stored(format!("\u{202e}{}\0", "x".repeat(60_000)), "")));
    assert!(error.to_string().starts_with("`\\u{202e}xxx"), "{error}");
    assert!(error.to_string().chars().count() < 350, "{error}");
}

#[test]
fn links_and_special_files_are_refused() {
    for (mode, what) in [
        (0o120_777, "a symbolic link"),
        (0o010_644, "a device, a pipe or a socket"),
        (0o020_644, "a device, a pipe or a socket"),
        (0o060_644, "a device, a pipe or a socket"),
        (0o140_644, "a device, a pipe or a socket"),
        (0o170_644, "a device, a pipe or a socket"),
        (0o040_755, "a file by its name and a folder by its mode, or the reverse"),
    ] {
        let entry = Made { mode, ..stored("entry", "../../etc/passwd") };
        assert_eq!(fault(entry), EntryFault::Special(what), "{mode:o}");
    }
    assert!(read(&with(Made { mode: 0o100_755, ..stored("entry", "x") })).is_ok());
    assert!(read(&with(Made { mode: 0o040_755, ..stored("entry/", "") })).is_ok());
    let folder = Made { mode: 0o120_777, ..stored("entry/", "") };
    assert_eq!(fault(folder), EntryFault::Special("a symbolic link"));
}

#[test]
fn hard_links_are_refused() {
    for (id, fixed) in [(0x000d_u16, 12), (0x756e, 14)] {
        let extra = |target: &str| {
            let length = (fixed + target.len()) as u16;
            let times = [&0x5455_u16.to_le_bytes()[..], &5_u16.to_le_bytes(), &[0; 5]].concat();
            let field = [&id.to_le_bytes()[..], &length.to_le_bytes(), &vec![0; fixed]].concat();
            [times, field, target.as_bytes().to_vec()].concat()
        };
        let entry = Made { extra: extra("../../etc/passwd"), ..stored("entry", "") };
        assert_eq!(fault(entry), EntryFault::Special("a hard or symbolic link"));
        assert!(read(&with(Made { extra: extra(""), ..stored("entry", "") })).is_ok());
    }
}

#[test]
fn encrypted_entries_are_refused() {
    for flags in [1, 1 << 6, 1 << 13] {
        assert_eq!(fault(Made { flags, ..stored("entry", "x") }), EntryFault::Encrypted);
    }
}

#[test]
fn other_methods_are_refused() {
    for method in [1, 9, 12, 14, 93, 95, 98, 99] {
        assert_eq!(fault(Made { method, ..stored("entry", "x") }), EntryFault::Method(method));
    }
}

#[test]
fn names_that_fall_together_are_refused() {
    for (first, second) in [
        ("Panel.html", "panel.html"),
        ("caf\u{e9}.html", "cafe\u{301}.html"),
        ("\u{fb01}le", "file"),
        ("stra\u{df}e", "STRASSE"),
        ("\u{17f}ecret", "secret"),
        ("\u{ff41}", "a"),
        ("\u{212a}", "k"),
        ("a.html", "a.html."),
        ("a.html", "a.html "),
        ("Img/a", "img/b"),
        ("img/a", "IMG"),
        ("e\u{301}/a", "\u{e9}/b"),
    ] {
        let archive = zip(&[stored("manifest.json", MANIFEST_TEXT), stored(first, "1"), stored(second, "2")]);
        let error = refused(&archive);
        assert!(
            matches!(&error, ArchiveError::Entry { fault: EntryFault::Collides(_), .. }),
            "{first} {second}: {error}"
        );
    }
}

#[test]
fn a_name_stands_once() {
    let archive =
        |a: &str, b: &str| zip(&[stored("manifest.json", MANIFEST_TEXT), stored(a, ""), stored(b, "")]);
    let error = |a: &str, b: &str| match refused(&archive(a, b)) {
        ArchiveError::Entry { fault, .. } => fault,
        other => panic!("{other}"),
    };
    assert_eq!(error("a", "a"), EntryFault::Twice);
    assert_eq!(error("a/", "a/"), EntryFault::Twice);
    assert_eq!(error("a", "a/"), EntryFault::FileAndFolder);
    assert_eq!(error("a", "a/b"), EntryFault::FileAndFolder);
    assert_eq!(error("a/b", "a"), EntryFault::FileAndFolder);
    assert!(read(&archive("a/", "a/b")).is_ok());
    assert!(read(&archive("a/b", "a/")).is_ok());
}

#[test]
fn a_bomb_that_declares_its_size_is_refused_unread() {
    // 10 GB in one entry is beyond what the format can say without ZIP64; so is the escape into ZIP64.
    let huge = |size| Made { size, ..deflated("bomb", "x") };
    assert_eq!(refused(&with(huge(u32::MAX))), ArchiveError::Unsupported);
    assert_eq!(refused(&with(huge(u32::MAX - 1))), ArchiveError::TooMuch("bomb".into()));
    let parts = (0..2000).map(|index| Made { size: 5_000_000, ..deflated(format!("bomb{index}"), "x") });
    let archive = zip(&parts.collect::<Vec<_>>());
    assert_eq!(refused(&archive), ArchiveError::TooMuch("bomb6".into()));
}

#[test]
fn a_bomb_that_hides_its_size_is_refused_after_what_it_declared() {
    let packed = ten_gigabytes();
    let bomb = |size| Made { size, packed: packed.clone(), ..deflated("bomb", "") };
    assert_eq!(fault(bomb(1000)), EntryFault::Longer(1000));
    assert_eq!(fault(bomb(0)), EntryFault::Longer(0));
    let most = MAX_BYTES - MANIFEST_TEXT.len();
    assert_eq!(fault(bomb(most as u32)), EntryFault::Longer(most));
    assert_eq!(fault(Made { size: 3, ..stored("entry", "1234") }), EntryFault::Longer(3));
}

/// Deflated zeros without an end: a block that repeats itself inflates as long as there are blocks. One megabyte
/// of zeros and a flush end on a byte, so that the same bytes may follow as often as one likes.
fn ten_gigabytes() -> Vec<u8> {
    let megabyte = vec![0; 1 << 20];
    let mut deflate = Compress::new(Compression::best(), false);
    let mut block = Vec::with_capacity(10_000);
    deflate.compress_vec(&megabyte, &mut block, FlushCompress::Full).unwrap();
    assert_eq!(deflate.total_in(), 1 << 20);
    let bomb = block.repeat(10_000);
    assert!(bomb.len() < 12_000_000, "{} bytes", bomb.len());
    bomb
}

#[test]
#[ignore = "measures the memory of its process, so bombs_stay_small runs it in one of its own"]
fn bombs_alone() {
    let packed = ten_gigabytes();
    let most = (MAX_BYTES - MANIFEST_TEXT.len()) as u32;
    let undeclared = with(Made { size: most, packed, ..deflated("bomb", "") });
    let declared = with(Made { size: u32::MAX - 1, ..deflated("bomb", "x") });
    let many = million();
    let before = most_memory();
    for archive in [undeclared, declared, many] {
        refused(&archive);
    }
    let growth = most_memory() - before;
    assert!(growth < 64 << 20, "{growth} bytes");
    println!("grew by {growth} bytes");
}

#[test]
fn bombs_stay_small() {
    let alone = "plugin::archive::tests::hostile::bombs_alone";
    let done = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", alone, "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("grew by"), "{said}");
}

#[test]
fn archives_within_archives_stay_files() {
    let inner = with(deflated("bomb", vec![0; 1 << 20]));
    let archive = with(stored("inner.zip", &inner));
    assert_eq!(read(&archive).unwrap().get("inner.zip").unwrap(), &inner);
}

/// As many entries as fit into an archive that is not too large by itself.
fn million() -> Vec<u8> {
    let mut archive = Vec::with_capacity(MAX_ARCHIVE);
    let mut index = 0;
    while archive.len() < MAX_ARCHIVE - 1000 {
        archive.extend(stored(format!("{index}"), "").central(0));
        index += 1;
    }
    let size = archive.len() as u32;
    archive.extend(b"PK\x05\x06\0\0\0\0\x10\x27\x10\x27");
    archive.extend([size, 0].map(u32::to_le_bytes).as_flattened());
    archive.extend([0; 2]);
    archive
}

#[test]
fn a_million_entries_are_refused() {
    assert_eq!(refused(&million()), ArchiveError::TooManyEntries);
    // A real million has a longer list than any plugin.
    let more = vec![0; 1_000_000 * 47];
    assert_eq!(refused(&more), ArchiveError::TooLarge(more.len()));
}

#[test]
fn files_are_counted() {
    let entry = |index| stored(format!("d/{index}"), "");
    let archive = |count| {
        let mut entries = vec![stored("manifest.json", MANIFEST_TEXT)];
        entries.extend((1..count).map(entry));
        zip(&entries)
    };
    assert!(read(&archive(MAX_FILES)).is_ok());
    assert_eq!(refused(&archive(MAX_FILES + 1)), ArchiveError::TooManyFiles);
    assert_eq!(refused(&archive(MAX_ENTRIES + 1)), ArchiveError::TooManyEntries);
}

#[test]
fn deep_paths_cost_no_more_than_flat_ones() {
    let deep = |index: usize| format!("{index:04}/{}b", "a/".repeat(250));
    let shared = |index: usize| format!("{}{index:04}", "\u{e9}/".repeat(160));
    let wide = |index: usize| format!("{}{index:04}", "\u{e9}".repeat(250));
    let archive = |name: &dyn Fn(usize) -> String| {
        let entries = (0..MAX_NAMES / name(0).len()).map(|index| stored(name(index), ""));
        zip(&entries.collect::<Vec<_>>())
    };
    assert_eq!(refused(&archive(&deep)), ArchiveError::TooManyEntries);
    assert_eq!(refused(&archive(&shared)), ArchiveError::NoManifest);
    assert_eq!(refused(&archive(&wide)), ArchiveError::NoManifest);
    let entries = (0..=MAX_NAMES / 500).map(|index| stored(wide(index), ""));
    assert_eq!(refused(&zip(&entries.collect::<Vec<_>>())), ArchiveError::TooManyEntries);
}

#[test]
fn what_the_two_headers_say_must_be_the_same() {
    let differs = |entry: Made| assert_eq!(fault(entry), EntryFault::Differs);
    differs(Made { local_name: Some(b"other".to_vec()), ..stored("entry", "x") });
    let archive = with(stored("entry", "x"));
    let header = memchr::memmem::find(&archive, b"PK\x03\x04").unwrap();
    let second = memchr::memmem::rfind(&archive, b"PK\x03\x04").unwrap();
    assert!(second > header);
    // Flags, method, checksum, packed size, size.
    for at in [6, 8, 14, 18, 22] {
        let mut changed = archive.clone();
        changed[second + at] ^= 2;
        let expected = ArchiveError::Entry { name: "entry".into(), fault: EntryFault::Differs };
        assert_eq!(refused(&changed), expected, "byte {at}");
    }
}

#[test]
fn damage_is_noticed() {
    assert_eq!(fault(Made { crc: 5, ..stored("entry", "x") }), EntryFault::Damaged);
    assert_eq!(fault(Made { crc: 5, ..deflated("entry", "x") }), EntryFault::Damaged);
    assert_eq!(fault(Made { size: 5, ..stored("entry", "x") }), EntryFault::Damaged);
    assert_eq!(fault(Made { size: 5, ..deflated("entry", "x") }), EntryFault::Damaged);
    let mut trailing = deflated("entry", "x");
    trailing.packed.push(0);
    assert_eq!(fault(trailing), EntryFault::Damaged);
    assert_eq!(fault(Made { packed: vec![0xff; 20], ..deflated("entry", "x") }), EntryFault::Damaged);
}

#[test]
fn entries_that_share_bytes_are_refused() {
    // The quoted bomb: many entries of one content.
    let kernel = deflated("a", vec![0; 1 << 20]);
    let again = |index: usize| Made {
        name: format!("a{index}").into_bytes(),
        packed: Vec::new(),
        offset: Some(0),
        ..kernel.clone()
    };
    let mut entries = vec![kernel.clone()];
    entries.extend((0..20).map(again));
    let error = refused(&zip(&entries));
    assert!(matches!(error, ArchiveError::Entry { fault: EntryFault::Overlaps, .. }), "{error}");
    // One within the other.
    let inner = stored("inner", "x");
    let outer = stored("outer", inner.local());
    let inner = Made { offset: Some(30 + 5), ..inner };
    let bytes = {
        let mut bytes = outer.local();
        let at = bytes.len();
        let directory = [outer.central(0), inner.central(0)].concat();
        bytes.extend(&directory);
        bytes.extend(b"PK\x05\x06\0\0\0\0\x02\0\x02\0");
        bytes.extend([directory.len() as u32, at as u32].map(u32::to_le_bytes).as_flattened());
        bytes.extend([0; 2]);
        bytes
    };
    let error = refused(&bytes);
    assert!(matches!(error, ArchiveError::Entry { fault: EntryFault::Overlaps, .. }), "{error}");
}

#[test]
fn bytes_that_belong_to_nothing_are_refused() {
    let good = with(stored("entry", "x"));
    assert_eq!(
        refused(&[b"#!/bin/sh\n", &good[..]].concat()),
        ArchiveError::Stray("around its list of files")
    );
    let shifted = zip(&[Made { before: b"MZ".to_vec(), ..stored("manifest.json", MANIFEST_TEXT) }]);
    assert_eq!(refused(&shifted), ArchiveError::Stray("before its first file"));
    assert_eq!(refused(&[&good[..], b"tail"].concat()), ArchiveError::Stray("after its end"));
    let gap = with(Made { before: b"hidden".to_vec(), ..stored("entry", "x") });
    assert_eq!(
        refused(&gap),
        ArchiveError::Entry { name: "manifest.json".into(), fault: EntryFault::Overlaps }
    );
    let after = with(Made { descriptor: b"hidden".to_vec(), ..stored("entry", "x") });
    assert_eq!(refused(&after), ArchiveError::Entry { name: "entry".into(), fault: EntryFault::Overlaps });
}

#[test]
fn what_is_no_archive_is_refused() {
    for bytes in [&b""[..], b"PK", b"PK\x05\x06", b"<html>", b"\x1f\x8b\x08", &[0; 1000]] {
        assert_eq!(refused(bytes), ArchiveError::NotZip);
    }
    assert_eq!(refused(&b"PK\x05\x06".repeat(20_000)), ArchiveError::NotZip);
    let count = zip_with(&[stored("manifest.json", MANIFEST_TEXT)], 2, b"");
    assert_eq!(refused(&count), ArchiveError::Directory);
    assert_eq!(refused(&vec![0; MAX_ARCHIVE + 1]), ArchiveError::TooLarge(MAX_ARCHIVE + 1));
}
