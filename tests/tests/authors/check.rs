//! `taiku plugin check`: each fault is named where it stands.

use serde_json::{Value, json};

use crate::{Done, manifest, plugin, taiku};

const PAGE: &str = "<!doctype html>\n<meta charset=utf-8>\n<title>t</title>\n";

/// Checks a plugin whose page has these lines after the first three, and gives what was found.
fn found(manifest: &Value, lines: &str, files: &[(&str, &str)]) -> (Done, Vec<String>) {
    let page = format!("{PAGE}{lines}");
    let folder = plugin(manifest, &[&[("panel.html", page.as_str())], files].concat());
    let done = taiku(folder.path(), &["plugin", "check", "plugin", "--json"], &[]);
    let report: Value = serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {done:?}"));
    let finding = |finding: &Value| {
        let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        let line = finding["line"].as_u64().map(|line| format!(":{line}")).unwrap_or_default();
        format!("{} {}{line} {}{}", text("level"), text("file"), text("pointer"), text("what"))
    };
    let findings =
        report["findings"].as_array().expect("a report has findings").iter().map(finding).collect();
    (done, findings)
}

#[track_caller]
fn assert_only(findings: &[String], start: &str, words: &str) {
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].starts_with(start) && findings[0].contains(words), "{start}, {words}: {findings:?}");
}

#[test]
fn a_sound_plugin_has_no_findings() {
    let mut manifest = manifest();
    manifest["permissions"] = json!(["session.read", "integrations.read"]);
    manifest["integrations"] = json!(["demo"]);
    let page = r#"<link rel="stylesheet" href="panel.css"><button onclick="go()">Go</button>
<script>
  const waiting = {};
  addEventListener("message", ({ source, data }) => {
    if (source !== parent || data.type !== "taiku:response") return;
    if (data.error || data.result === undefined) console.error(data.error);
  });
  for (const method of ["getSession", "integrations.list"]) {
    parent.postMessage({ type: "taiku:request", id: method, method }, "*");
  }
</script>"#;
    let (done, findings) = found(&manifest, page, &[("panel.css", "body { color: red }"), ("README.md", "")]);
    assert_eq!((done.code, findings), (Some(0), Vec::new()), "{done:?}");
    let report: Value = serde_json::from_str(&done.out).expect("it was read before");
    assert_eq!((&report["browser"]["state"], &report["browser"]["panels"]), (&json!("opened"), &json!(1)));
    assert_eq!((&report["id"], &report["files"]), (&json!("tests.author"), &json!(4)));
}

#[test]
fn faults_of_the_manifest_have_their_path() {
    let mut wrong = manifest();
    wrong["version"] = json!("one");
    let permissions = wrong.as_object_mut().and_then(|object| object.remove("permissions"));
    wrong["permision"] = permissions.expect("it was there");
    let (done, findings) = found(&wrong, "", &[]);
    assert_eq!(done.code, Some(1));
    for start in [
        "fault manifest.json /permissions",
        "fault manifest.json /version",
        "warning manifest.json /permision",
    ] {
        assert!(findings.iter().any(|finding| finding.starts_with(start)), "{start}: {findings:?}");
    }
    assert!(findings.iter().any(|finding| finding.contains("did you mean `permissions`?")), "{findings:?}");
}

#[test]
fn an_unknown_permission_is_told_and_does_not_stop() {
    let mut unknown = manifest();
    unknown["permissions"] = json!(["storage.red"]);
    let (done, findings) = found(&unknown, "", &[]);
    assert_eq!(done.code, Some(0));
    assert_only(&findings, "warning manifest.json /permissions/0", "did you mean `storage.read`?");
}

#[test]
fn files_that_are_missing_or_unused_are_named() {
    let mut two = manifest();
    two["panels"][0]["htmlUrl"] = json!("other.html");
    let (done, findings) = found(&two, "<script src=gone.js></script>", &[]);
    assert_eq!(done.code, Some(1));
    let all = findings.join("\n");
    for words in [
        "fault manifest.json /panels/0/htmlUrlnames `other.html`, which is not there",
        "fault panel.html:4 <script> loads `gone.js`",
        "warning panel.html is named by no other file",
    ] {
        assert!(all.contains(words), "{words}: {all}");
    }
}

#[test]
fn what_the_policy_stops_is_named_with_file_and_line() {
    let script = "\n// Two lines down it goes wrong.\nfetch('https://api.example.test/x').catch(() => {});\n";
    let lines = "<script src=panel.js></script>\n<script>\n  setTimeout(() => eval('1'), 0);\n</script>\n";
    let style = "p { color: red }\nbody { background: url(https://cdn.example.test/a.png) }";
    let (done, findings) = found(
        &manifest(),
        &format!("<link rel=stylesheet href=panel.css>{lines}"),
        &[("panel.js", script), ("panel.css", style)],
    );
    assert_eq!(done.code, Some(1));
    let all = findings.join("\n");
    for words in [
        "fault panel.js:3 the network is closed to panels (`https://api.example.test/x`)",
        "fault panel.css:2 `https://cdn.example.test/a.png` is blocked by img-src",
        "fault panel.html:6 runs text as code",
    ] {
        assert!(all.contains(words), "{words}: {all}");
    }
    assert_eq!(findings.len(), 3, "{all}");
}

#[test]
fn what_the_panel_itself_does_wrong_is_named_with_file_and_line() {
    for (lines, start, words) in [
        ("<script>\n\nnope();\n</script>", "fault panel.html:6", "nope is not defined"),
        ("<script>\nlocalStorage.x = 1;\n</script>", "fault panel.html:5", "localStorage"),
        ("<script>\nconsole.error('oh', 7);\n</script>", "warning panel.html:5", "console.error: oh 7"),
        ("<script>\nPromise.reject(new Error('lost'));\n</script>", "fault panel.html:5", "lost"),
        ("<script>\nnew Image().src = 'later.png';\n</script>", "fault panel.html:5", "asks for `later.png`"),
        ("<script>\nlocation.href = '?again';\n</script>", "fault panel.html ", "leaves its page"),
        ("<form></form>", "warning panel.html:4", "`submit` event does not fire"),
    ] {
        let (_, findings) = found(&manifest(), lines, &[]);
        assert_only(&findings, start, words);
    }
}

#[test]
fn calls_that_the_host_will_refuse_are_found() {
    let call = |method: &str| {
        format!(
            "<script>\nparent.postMessage({{type: 'taiku:request', id: '1', method: '{method}'}}, '*');\n</script>"
        )
    };
    for (method, start, words) in [
        ("getSession", "fault panel.html:5", "needs the permission session.read"),
        ("chat.send", "warning panel.html:5", "not supported by this host"),
    ] {
        let (_, findings) = found(&manifest(), &call(method), &[]);
        assert_only(&findings, start, words);
    }
}

#[test]
fn without_a_browser_it_says_so() {
    let folder = plugin(&manifest(), &[("panel.html", PAGE)]);
    let nowhere = [("CHROME", "/nowhere/chromium")];
    let done = taiku(folder.path(), &["plugin", "check", "plugin"], &nowhere);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.out.contains("not checked in a browser: /nowhere/chromium does not start"), "{done:?}");
    let done = taiku(folder.path(), &["plugin", "check", "plugin"], &[("CHROME", ""), ("PATH", "/nowhere")]);
    assert!(done.code == Some(2) && done.out.contains("--no-browser"), "{done:?}");
    let done = taiku(folder.path(), &["plugin", "check", "plugin", "--no-browser"], &nowhere);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.out.contains("no panel opened in a browser"), "{done:?}");
}

#[test]
fn what_is_no_plugin_cannot_be_checked() {
    let folder = plugin(&manifest(), &[]);
    let done = taiku(folder.path(), &["plugin", "check", "nothing"], &[]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.err.contains("nothing"), "{done:?}");
    let done = taiku(folder.path(), &["plugin", "check", "plugin/manifest.json"], &[]);
    assert!(done.code == Some(1) && done.out.contains("not a .zip archive"), "{done:?}");
    std::fs::remove_file(folder.path().join("plugin/manifest.json")).expect("it was written");
    let done = taiku(folder.path(), &["plugin", "check", "plugin"], &[]);
    assert!(done.code == Some(1) && done.out.contains("manifest.json: fault: is missing"), "{done:?}");
}
