//! The schedules of `docs/backup.md` run as they stand there, but for the place.

use serde_json::Value as Json;

use crate::support::Site;

fn document() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/backup.md")).unwrap()
}

fn yaml(mark: &str) -> Json {
    let text = document();
    let block = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let block = block.into_iter().find(|block| block.contains(mark)).unwrap();
    serde_yaml::from_str(block).unwrap()
}

/// Words of the command after `tenantry`, as a shell would part them; none of them has quotes around spaces.
fn words(line: &str) -> Vec<String> {
    let after = line.split("tenantry ").last().unwrap();
    after.split_whitespace().map(|word| word.trim_matches('"').to_owned()).collect()
}

fn runs(mut words: Vec<String>, recipient: &str) {
    let site = Site::bare(&["--rate", "off"]);
    let project = format!("description: .\nenvironments:\n  prod:\n    domain: {}\n", site.sandbox.url);
    site.place.write("tenantry.yaml", &project);
    for at in 0..words.len() {
        match words[at].as_str() {
            "-o" => words[at + 1] = "backups".to_owned(),
            "-C" => words[at + 1] = ".".to_owned(),
            "$RECIPIENT" => words[at] = recipient.to_owned(),
            _ => {}
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let _ = site.run(&words).code(0);
    assert!(site.files("backups")[0].ends_with(".tar.zst.age"));
}

#[test]
fn the_cron_line_runs() {
    let text = document();
    let line = text.lines().find(|line| line.starts_with("0 2 * * *")).unwrap();
    runs(words(line), "");
}

#[test]
fn the_scheduled_workflow_runs() {
    let workflow = yaml("runs-on");
    assert!(workflow["on"]["schedule"][0]["cron"].is_string() && workflow["permissions"].is_object(), "{workflow:#}");
    let steps = workflow["jobs"]["backup"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == "Back up").unwrap();
    runs(words(step["run"].as_str().unwrap()), step["env"]["RECIPIENT"].as_str().unwrap());
}

#[test]
fn the_cron_job_runs() {
    let job = yaml("CronJob");
    let container = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0];
    let args = container["args"].as_array().unwrap().iter();
    runs(args.map(|word| word.as_str().unwrap().to_owned()).collect(), "");
}
