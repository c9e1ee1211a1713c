//! What the documents say is run: each command of a `sh` block, and each link between documents.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use taiku_tests::binary;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The README, ARCHITECTURE.md and every page of `docs/`, by name, in order.
fn documents() -> Vec<(String, String)> {
    let mut paths = vec![root().join("README.md"), root().join("ARCHITECTURE.md")];
    let pages = std::fs::read_dir(root().join("docs")).unwrap();
    paths.extend(
        pages.map(|page| page.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "md")),
    );
    paths.sort();
    let read = |path: PathBuf| (path.display().to_string(), std::fs::read_to_string(&path).unwrap());
    paths.into_iter().map(read).collect()
}

/// The lines of the blocks that are marked `sh`, without comments.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line.trim() {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside && !line.is_empty() && !line.starts_with('#') => {
                commands.push(line.split("  #").next().unwrap().trim().to_owned());
            }
            _ => {}
        }
    }
    commands
}

fn taiku(arguments: &str, data: &Path) -> Result<(), String> {
    let mut child = Command::new(binary())
        .args(arguments.split_whitespace())
        .env("TAIKU_DATA_DIR", data)
        // There are no backups yet that would need a key that is retired.
        .env("TAIKU_BACKUP_DAYS", "0")
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads no password may have ended by now.
    let _ = child.stdin.take().unwrap().write_all(b"correct horse battery\n");
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(said) }
}

#[test]
fn every_taiku_command_of_the_documents_works() {
    let data = tempfile::tempdir().unwrap();
    let mut run = 0;
    for (name, text) in documents() {
        for command in commands(&text) {
            let Some(arguments) = command.strip_prefix("taiku ") else { continue };
            if arguments.starts_with("serve") {
                continue;
            }
            run += 1;
            assert_eq!(taiku(arguments, data.path()), Ok(()), "{name}: {command}");
        }
    }
    assert!(run >= 8, "{run} commands were found");
}

#[test]
fn every_cargo_command_of_the_documents_exists() {
    let help = std::fs::read_to_string(root().join("xtask/src/main.rs")).unwrap();
    let mut seen = Vec::new();
    for (name, text) in documents() {
        for command in commands(&text) {
            let Some((_, rest)) = command.split_once("cargo xtask ") else { continue };
            let word = rest.split_whitespace().next().unwrap().to_owned();
            assert!(help.contains(&format!("\n  {word} ")), "{name}: {command}: xtask has no such command");
            seen.push(word);
        }
    }
    assert!(seen.contains(&"run".into()) && seen.contains(&"test".into()));
}

#[test]
fn the_readme_begins_with_the_two_commands_and_a_picture() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let first_screen: String = text.lines().take(20).collect::<Vec<_>>().join("\n");
    for wanted in ["cargo xtask run", "cargo xtask test", "docs/images/workspace.png"] {
        assert!(first_screen.contains(wanted), "{wanted}");
    }
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut links = 0;
    for (name, text) in documents() {
        let folder = Path::new(&name).parent().unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            links += 1;
            assert!(folder.join(file).exists(), "{name}: {link}");
        }
    }
    assert!(links > 10, "{links} links were found");
}
