//! Names that would lead out of the folder, and folders that are not empty.

use serde_json::{Value, json};

use crate::support::{Recorder, refused, stable};

#[test]
fn names_do_not_leave_the_folder() {
    let recorder = Recorder::start(&[]);
    for name in ["../../escape", "..", "/etc/passwd", "C:\\evil", "CON", "a/b", "a\u{7}b", "-rf", ".hidden"] {
        recorder.api("POST", "/roles", &json!({"name": name}));
        recorder.api("POST", "/clients", &json!({"name": name.replace('<', "")}));
    }
    for format in [&["--format", "directory"][..], &["--format", "single"], &["--files", "json"]] {
        let place = recorder.compatibility();
        let output = place.run(&[&["export", "-o", "deep/out"], format].concat());
        assert!(matches!(output.code, Some(0 | 5)), "{output}");
        assert!(!output.stdout.contains('\u{7}') && !output.stderr.contains('\u{7}'), "{output}");
        let top: Vec<_> = std::fs::read_dir(place.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(top, ["deep"], "nothing beside it");
        let inner: Vec<_> =
            std::fs::read_dir(place.path().join("deep")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(inner, ["out"], "nothing beside it");
        let input = if format.contains(&"single") { "deep/out/tenant.yaml" } else { "deep/out" };
        let plan = place.run(&["-i", input, "plan", "--detailed-exitcode"]);
        assert_eq!(plan.code, Some(0), "{plan}");
    }
    assert!(recorder.api("GET", "/roles", &Value::Null).to_string().contains("escape"));
}

#[test]
fn a_folder_that_is_not_empty() {
    let recorder = Recorder::start(&[]);
    let place = recorder.compatibility();
    place.write("out/README.md", "mine\n");
    let output = refused(&place, &["export", "-o", "out"], 1);
    insta::assert_snapshot!(stable(&output));
    assert_eq!(place.read("out/README.md"), "mine\n");
    assert_eq!(std::fs::read_dir(place.path().join("out")).unwrap().count(), 1);
    place.write("file", "mine\n");
    let output = refused(&place, &["export", "-o", "file"], 1);
    insta::assert_snapshot!("a_file_where_a_folder_belongs", stable(&output));
}
