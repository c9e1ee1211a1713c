//! Folders that are found, and those that are wrong.

use std::fs;
use std::path::PathBuf;

use super::*;

fn write(dir: &Path, name: &str, settings: &str) -> PathBuf {
    let folder = dir.join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("toolkit.toml"), settings).unwrap();
    let paths = json!({"/x": {"get": {"summary": "Get a thing"}}});
    fs::write(folder.join("openapi.json"), document("3.0.3", &paths, &json!({}))).unwrap();
    folder
}

fn slugs(catalog: &Catalog) -> Vec<&str> {
    catalog.iter().map(|toolkit| toolkit.slug.as_str()).collect()
}

#[test]
fn a_wrong_folder_never_stops_the_others() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "good", OPEN);
    write(root.path(), "a-bad", "name = 5");
    write(root.path(), "Upper", OPEN);
    write(root.path(), ".hidden", OPEN);
    fs::create_dir(root.path().join("empty")).unwrap();
    fs::write(root.path().join("README.md"), "not a toolkit").unwrap();
    let missing = root.path().join("missing");
    let catalog = Catalog::load([], &[missing.clone(), root.path().to_owned()]);
    assert_eq!(slugs(&catalog), ["good"]);
    let faults: Vec<String> = catalog
        .faults()
        .iter()
        .map(|fault| {
            format!(
                "{}: {}",
                fault.folder.replace(&root.path().display().to_string(), ""),
                lines(&fault.faults)
            )
        })
        .collect();
    assert_eq!(faults.len(), 4, "{faults:?}");
    assert!(faults[0].starts_with("/missing: cannot be read"), "{faults:?}");
    assert!(faults[1].contains("the folder's name `Upper` must be in lower case"), "{faults:?}");
    assert!(faults[2].starts_with("/a-bad: toolkit.toml: name: invalid type: integer"), "{faults:?}");
    assert_eq!(faults[3], "/empty: toolkit.toml: is missing; a toolkit folder needs one");
}

#[test]
fn a_folder_cannot_take_the_slug_of_another() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "test", OPEN);
    let embedded = Folder::in_memory(
        "test",
        [
            ("toolkit.toml", OPEN.replace("\"Test\"", "\"First\"").into_bytes()),
            ("openapi.json", document("3.1.0", &json!({}), &json!({})).into_bytes()),
        ],
    );
    let catalog = Catalog::load([embedded], &[root.path().to_owned()]);
    assert_eq!(catalog.get(&Slug::parse("test").unwrap()).unwrap().name, "First");
    assert!(lines(&catalog.faults()[0].faults).contains("there is a toolkit test already"));
}

#[test]
fn a_folder_that_is_a_link_to_elsewhere_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let real = write(elsewhere.path(), "linked", OPEN);
    std::os::unix::fs::symlink(&real, root.path().join("linked")).unwrap();
    let catalog = Catalog::load([], &[root.path().to_owned()]);
    assert_eq!(slugs(&catalog), [""; 0]);
    assert!(lines(&catalog.faults()[0].faults).contains("leads out of"));
}

#[test]
fn the_check_of_a_folder_compiles_every_schema() {
    let root = tempfile::tempdir().unwrap();
    let folder = write(root.path(), "good", OPEN);
    assert_eq!(check(&folder).unwrap().tool_count(), 1);
    let paths = json!({"/x": {"get": {"summary": "Get", "parameters": [
        parameter("a", "query", &json!({"pattern": "(?=look)ahead"})),
    ]}}});
    fs::write(folder.join("openapi.json"), document("3.1.0", &paths, &json!({}))).unwrap();
    let faults = lines(&check(&folder).unwrap_err());
    assert!(faults.contains("the schema of GOOD_GET cannot be used"), "{faults}");
    assert!(check(&root.path().join("nothing")).is_err());
}

#[test]
fn files_that_are_too_large_or_missing_are_named() {
    let root = tempfile::tempdir().unwrap();
    let folder = write(root.path(), "big", OPEN);
    fs::write(folder.join("logo.svg"), "x".repeat(70_000)).unwrap();
    fs::remove_file(folder.join("openapi.json")).unwrap();
    let faults = lines(&check(&folder).unwrap_err());
    assert_eq!(
        faults,
        "logo.svg: is larger than 65536 bytes; make it smaller\n\
        openapi.json: is missing; `tools.openapi` of toolkit.toml names it"
    );
}

#[test]
fn a_logo_is_a_picture_without_script() {
    for (svg, fine) in [
        ("<svg xmlns='http://www.w3.org/2000/svg'/>", true),
        ("<svg><SCRIPT>1</SCRIPT></svg>", false),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><svg/>", false),
        ("<svg><a href='javascript:1'/></svg>", false),
        ("hello", false),
    ] {
        let root = tempfile::tempdir().unwrap();
        let folder = write(root.path(), "drawn", OPEN);
        fs::write(folder.join("logo.svg"), svg).unwrap();
        assert_eq!(check(&folder).is_ok(), fine, "{svg}");
    }
}
