//! What `docs/plugins.md` says to authors is true: its manifests load, its first steps work, its code and that of the
//! plugins that it names compiles, its tables are the bridge's.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use taiku_bridge::event::{RESERVED, may_hear};
use taiku_bridge::{Code, Grant, Manifest, Method, Permission};
use taiku_tests::{GUIDE, binary, guide_blocks, guide_rows, quoted};

fn sdk() -> String {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/sdk"))
        .unwrap()
        .display()
        .to_string()
}

/// Compiles the named files with the SDK's types.
fn compile(folder: &Path, files: &[String]) {
    let sdk = sdk();
    let global = format!("{sdk}/dist/global.d.ts");
    let settings = serde_json::json!({
        "compilerOptions": {
            "target": "ES2022", "module": "ESNext", "moduleResolution": "bundler",
            "lib": ["ES2022", "DOM", "DOM.Iterable"], "types": [], "noEmit": true,
            "allowJs": true, "checkJs": true, "strict": true,
            // A panel need not show what to do when its own element is missing.
            "strictNullChecks": false, "noImplicitAny": false, "useUnknownInCatchVariables": false,
            "paths": { "@taiku/sdk": [format!("{sdk}/dist/taiku.d.ts")] },
        },
        "include": files.iter().chain([&global]).collect::<Vec<_>>(),
    });
    fs::write(folder.join("tsconfig.json"), settings.to_string()).unwrap();
    let tsc = format!("{sdk}/node_modules/typescript/bin/tsc");
    let output = Command::new("node").arg(tsc).current_dir(folder).output().expect("node can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn its_manifests_load_without_a_complaint() {
    let manifests = guide_blocks("json");
    assert!(manifests.len() >= 2, "{} were found", manifests.len());
    for text in manifests {
        let loaded = Manifest::parse(&text).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
        assert_eq!(loaded.warnings, [], "{text}");
    }
}

#[test]
fn its_first_steps_work_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Vec::new();
    for command in guide_blocks("console").iter().flat_map(|block| block.lines()) {
        let Some(arguments) = command.strip_prefix("$ taiku plugin ") else { continue };
        let words: Vec<_> = arguments.split_whitespace().collect();
        // It runs until it is stopped.
        if words[0] != "dev" {
            let mut taiku = Command::new(binary());
            let output = taiku.arg("plugin").args(&words).current_dir(folder.path()).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{command}: {said}");
        }
        if words[..2] == ["new", "first"] {
            for (name, kind) in [("manifest.json", "json"), ("panel.html", "html")] {
                fs::write(folder.path().join("first").join(name), &guide_blocks(kind)[0]).unwrap();
            }
        }
        run.push(words[0].to_owned());
    }
    assert_eq!(run[..4], ["new", "dev", "check", "pack"], "the first steps come first");
    assert!(run.len() >= 10, "the tools for authors are explained: {run:?}");
}

#[test]
fn its_code_compiles() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let mut written = 0;
    for kind in ["js", "ts"] {
        for (index, block) in guide_blocks(kind).iter().enumerate() {
            written += 1;
            // As a module it may wait at the top, and shares no names with the others.
            write(&format!("{index}.{kind}"), &format!("{block}\nexport {{}};\n"));
        }
    }
    for (index, page) in guide_blocks("html").iter().enumerate() {
        let scripts = page.split("<script>").skip(1).filter_map(|rest| rest.split("</script>").next());
        for script in scripts {
            written += 1;
            write(&format!("page-{index}.js"), &format!("{script}\nexport {{}};\n"));
        }
    }
    assert!(written >= 12, "{written} were found");
    compile(folder.path(), &["*.js".into(), "*.ts".into()]);
}

#[test]
fn the_plugins_that_it_names_compile() {
    for plugin in ["example.issues", "example.notes", "example.pulse"] {
        assert!(GUIDE.contains(plugin), "{plugin}");
        let source = Path::new(&sdk()).join("..").join(plugin);
        for page in fs::read_dir(&source).unwrap().map(|entry| entry.unwrap().path()) {
            if page.extension().is_none_or(|extension| extension != "html") {
                continue;
            }
            // The scripts of a page share their names, so each page is compiled by itself.
            let text = fs::read_to_string(&page).unwrap();
            let scripts = text.split("<script src=\"").skip(1).filter_map(|rest| rest.split('"').next());
            let scripts = scripts.filter(|script| *script != "taiku.js");
            let files: Vec<_> = scripts.map(|script| source.join(script).display().to_string()).collect();
            assert!(!files.is_empty(), "{}", page.display());
            compile(tempfile::tempdir().unwrap().path(), &files);
        }
    }
}

#[test]
fn its_methods_are_those_of_the_bridge() {
    let mut described = BTreeSet::new();
    for row in guide_rows("Methods") {
        let permission = quoted(&row[2]);
        for name in quoted(&row[0]) {
            let method = Method::parse(name).unwrap_or_else(|refusal| panic!("{refusal}"));
            let needed: Vec<_> = method.permission().iter().map(|permission| permission.as_str()).collect();
            assert_eq!(permission, needed, "{name}");
            assert!(described.insert(name.to_owned()), "{name} is there twice");
        }
    }
    let all: BTreeSet<_> = Method::ALL.iter().map(|method| method.as_str().to_owned()).collect();
    assert_eq!(described, all);
}

#[test]
fn its_permissions_are_those_of_the_bridge() {
    let rows = guide_rows("Permissions");
    let mut described = BTreeSet::new();
    for row in &rows {
        for name in quoted(&row[0]) {
            let permission = Permission::parse(name).unwrap_or_else(|| panic!("there is no {name}"));
            assert_eq!(row[1], permission.risk().as_str(), "{name}");
            described.insert(permission);
        }
    }
    assert_eq!(described, Permission::ALL.iter().copied().collect());
}

#[test]
fn its_events_are_those_of_the_host() {
    let rows = guide_rows("Events");
    let described: BTreeSet<_> = rows.iter().flat_map(|row| quoted(&row[0])).collect();
    let everything = Grant { permissions: Permission::ALL.iter().copied().collect(), ..Grant::default() };
    let heard = RESERVED.iter().copied().filter(|event| may_hear(event, &everything));
    assert_eq!(described, heard.collect());
}

#[test]
fn its_codes_are_those_of_the_bridge() {
    let known: BTreeSet<_> =
        Code::ALL.iter().map(|code| code.as_str()).chain(["timeout", "no_host"]).collect();
    let rows = guide_rows("Errors");
    let described: Vec<_> = rows.iter().flat_map(|row| quoted(&row[0])).collect();
    assert!(described.len() > 20, "{described:?}");
    for code in described {
        assert!(known.contains(code), "there is no {code}");
    }
}
