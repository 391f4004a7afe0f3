//! How a bucket is reached: from the variables that the clouds' own tools read.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{ClientOptions, ObjectStore, RetryConfig};

use crate::problem::Problem;
use crate::project::Surroundings;

/// How often one request to a service is repeated.
const RETRIES: usize = 4;
/// Longest time over all repetitions of one request.
const RETRY_TIME: Duration = Duration::from_secs(90);
/// Longest time of one request: the largest is a part of an upload over a slow line.
const REQUEST_TIME: Duration = Duration::from_secs(120);
/// Longest time until a connection stands.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Builds the client of a service, and returns the path below the bucket.
pub(super) fn store(
    scheme: &str,
    text: &str,
    around: &Surroundings,
) -> Result<(Arc<dyn ObjectStore>, String), Problem> {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() || bucket.contains(['@', '?', '#', ':']) || path.contains(['?', '#']) {
        return Err(Problem::error("bad-place", format!("a place has the form {scheme}://NAME/PREFIX"))
            .note("credentials never stand in it; they come from variables of the environment"));
    }
    let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_TIME, ..RetryConfig::default() };
    let built = match scheme {
        "gs" => {
            let mut builder = GoogleCloudStorageBuilder::new().with_bucket_name(bucket).with_retry(retry);
            for (key, value) in variables(around, "google_") {
                if let Ok(key) = key.parse::<GoogleConfigKey>()
                    && !matches!(key, GoogleConfigKey::Client(_))
                {
                    builder = builder.with_config(key, value);
                }
            }
            let options = client(local(around, &["GOOGLE_BASE_URL"])?);
            builder.with_client_options(options).build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
        }
        "az" => {
            let mut builder = MicrosoftAzureBuilder::new().with_container_name(bucket).with_retry(retry);
            for (key, value) in variables(around, "azure_") {
                match key.parse::<AzureConfigKey>() {
                    // It would take an address of its own from the process, and speak plain HTTP to any machine.
                    Ok(AzureConfigKey::UseEmulator) => return Err(no_emulator()),
                    Ok(AzureConfigKey::Client(_)) | Err(_) => {}
                    Ok(key) => builder = builder.with_config(key, value),
                }
            }
            let options = client(local(around, &["AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"])?);
            builder.with_client_options(options).build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
        }
        _ => {
            let mut builder = AmazonS3Builder::new().with_bucket_name(bucket).with_retry(retry);
            for (key, value) in variables(around, "aws_") {
                if let Ok(key) = key.parse::<AmazonS3ConfigKey>()
                    && !matches!(key, AmazonS3ConfigKey::Client(_))
                {
                    builder = builder.with_config(key, value);
                }
            }
            let options = client(local(around, &["AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])?);
            builder.with_client_options(options).build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
        }
    };
    let store = built.map_err(|error| {
        helped(Problem::error("bad-place", format!("{text} cannot be reached: {}", said(&error))), scheme, &error)
    })?;
    Ok((store, path.to_owned()))
}

fn no_emulator() -> Problem {
    Problem::error("bad-place", "AZURE_STORAGE_USE_EMULATOR is not read")
        .help("unset it, and set AZURE_STORAGE_ENDPOINT to the emulator's address: http://127.0.0.1:10000/ACCOUNT")
}

/// Returns the variables of a service that are set, in lower case.
fn variables<'a>(around: &'a Surroundings, prefix: &'a str) -> impl Iterator<Item = (String, &'a String)> {
    let named = around.env.iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
    named.filter(move |(name, value)| name.starts_with(prefix) && !value.is_empty())
}

/// Says whether a service is on this machine: only there it may be asked without TLS.
fn local(around: &Surroundings, names: &[&str]) -> Result<bool, Problem> {
    let Some((name, url)) = names.iter().find_map(|name| Some((name, around.env.get(*name)?))) else {
        return Ok(false);
    };
    let Some(url) = url::Url::parse(url).ok().filter(|url| url.scheme() == "http") else { return Ok(false) };
    let is_here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if is_here {
        return Ok(true);
    }
    Err(Problem::error("bad-place", format!("{name} is a plain HTTP address of another machine"))
        .note("a backup is never sent without encryption on the way")
        .help(format!("set {name} to an address that begins with https://")))
}

fn client(is_local: bool) -> ClientOptions {
    ClientOptions::new().with_allow_http(is_local).with_timeout(REQUEST_TIME).with_connect_timeout(CONNECT_TIME)
}

/// Answers that say that there is no such bucket: a list of it is told by these words alone.
const NO_BUCKET: [&str; 2] = ["NoSuchBucket", "ContainerNotFound"];
/// Azure's answers to credentials that are not valid at all, beside those that lack one permission.
const NO_ENTRY: [&str; 3] = ["AuthenticationFailed", "AuthorizationFailure", "InvalidAuthenticationInfo"];

/// Says whether there is no such bucket or file.
pub(super) fn is_missing(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { .. }) || has_code(error, &NO_BUCKET)
}

/// Says whether credentials are good for nothing here, not only for what was asked.
pub(super) fn is_refused(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::Unauthenticated { .. }) || has_code(error, &NO_ENTRY)
}

fn has_code(error: &object_store::Error, codes: &[&str]) -> bool {
    let answer = innermost(error);
    codes.iter().any(|code| answer.contains(&format!("<Code>{code}</Code>")))
}

fn innermost(error: &object_store::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// Says what a service answered, in one line, without what an address may hold behind a question mark.
pub(super) fn said(error: &object_store::Error) -> String {
    use object_store::Error as E;
    let text = innermost(error);
    match error {
        _ if is_missing(error) => named(&text, "there is no such bucket or file"),
        E::PermissionDenied { .. } => named(&text, "the credentials do not allow it"),
        E::Unauthenticated { .. } => named(&text, "the credentials are refused"),
        _ => named(&text, ""),
    }
}

/// Returns words, or the code and message of an answer in XML, or what stands there.
fn named(text: &str, words: &str) -> String {
    let inside = |tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>"))?;
        // Azure's messages go on with the number and time of the request.
        Some(rest.split_once(&format!("</{tag}>"))?.0.trim().lines().next()?.to_owned())
    };
    let answer = match (inside("Code"), inside("Message")) {
        (Some(code), Some(message)) => format!("{code}: {}", message.trim_end_matches('.')),
        (Some(code), None) => code,
        _ => String::new(),
    };
    if !words.is_empty() {
        return if answer.is_empty() { words.to_owned() } else { format!("{words} ({answer})") };
    }
    if !answer.is_empty() {
        return answer;
    }
    let plain = text.split_whitespace().map(|word| word.split('?').next().unwrap_or_default());
    let plain = plain.collect::<Vec<_>>().join(" ");
    plain.chars().take(300).collect()
}

/// Adds what to do where a bucket or file is not there.
pub(super) fn named_right(problem: Problem, scheme: &str) -> Problem {
    problem.help(match scheme {
        "az" => "check the name of the container, and of the account",
        "gs" => "check the name of the bucket",
        _ => "check the name of the bucket, and its region",
    })
}

/// Adds what to do about a name or about credentials.
pub(super) fn helped(problem: Problem, scheme: &str, error: &object_store::Error) -> Problem {
    if is_missing(error) {
        return named_right(problem, scheme);
    }
    problem.help(match scheme {
        "az" => "set AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
        "gs" => "set GOOGLE_APPLICATION_CREDENTIALS",
        _ => "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION",
    })
}
