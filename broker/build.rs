//! Compiles the broker again when what it embeds has changed. A debug build reads that from the disk.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("PROFILE").as_deref() == Ok("debug") {
        return;
    }
    // Without the folder cargo would take it as changed each time.
    let web = std::path::Path::new("../target/web");
    if let Err(error) = std::fs::create_dir_all(web) {
        println!("cargo::warning={} cannot be made: {error}", web.display());
    }
    for folder in ["../target/web", "../plugins", "toolkits", "catalogue"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
