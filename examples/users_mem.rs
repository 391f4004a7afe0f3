#![allow(missing_docs, clippy::all, clippy::unwrap_used, clippy::print_stdout)]
use std::io::{Read, Write};
use std::time::Duration;
use tenantry::api::*;
use tenantry::model::Secret;
use tenantry::users::*;
fn hwm() -> String {
    std::fs::read_to_string("/proc/self/status").unwrap().lines().filter(|l| l.starts_with("VmHWM")).collect()
}
async fn connect(p: &str) -> Client {
    let e = |n: &str| std::env::var(format!("{p}_{n}")).unwrap();
    Client::connect(
        Settings {
            domain: e("URL"), audience: Some("https://sandbox.eu.auth0.com/api/v2/".into()),
            credentials: Credentials::Secret { client_id: e("ID"), client_secret: Secret::new(e("SECRET"), "env") },
            ca_file: None, proxy: None, budget: 1.0, deadline: Duration::from_secs(120), max_retries: 3, user_agent: "x".into(),
        },
        Default::default(),
    ).await.unwrap()
}
#[tokio::main]
async fn main() {
    let mode = std::env::args().nth(1).unwrap();
    let t = std::time::Instant::now();
    if mode == "backup" {
        let c = connect("A").await;
        println!("connected {}", hwm());
        let mut f = std::io::BufWriter::new(std::fs::File::create("/tmp/users-mem.bin").unwrap());
        let mut sink = |p: &str, b: &[u8]| {
            f.write_all(&(p.len() as u32).to_le_bytes()).unwrap(); f.write_all(p.as_bytes()).unwrap();
            f.write_all(&(b.len() as u32).to_le_bytes()).unwrap(); f.write_all(b).unwrap(); Ok(())
        };
        let r = backup(&c, &BackupOptions { permissions: false }, &mut sink).await.unwrap();
        println!("backup {} users, roles {}, members {}, {:?}, {:?} {}", r.users(), r.role_users, r.members, t.elapsed(), c.statistics(), hwm());
    } else {
        let c = connect("B").await;
        println!("connected {}", hwm());
        let mut f = std::io::BufReader::new(std::fs::File::open("/tmp/users-mem.bin").unwrap());
        let mut i = Importer::new(c.clone(), ImportOptions { update_existing: false }, std::path::Path::new("/tmp/users-mem.progress")).unwrap();
        let mut n = [0u8; 4];
        while f.read_exact(&mut n).is_ok() {
            let mut p = vec![0; u32::from_le_bytes(n) as usize]; f.read_exact(&mut p).unwrap();
            f.read_exact(&mut n).unwrap();
            let mut b = vec![0; u32::from_le_bytes(n) as usize]; f.read_exact(&mut b).unwrap();
            i.feed(&String::from_utf8(p).unwrap(), &b).await.unwrap();
        }
        let r = i.finish().await.unwrap();
        println!("import {:?} roles {:?} members {:?} {:?} {:?} {} {:?}", r.connections, r.roles, r.members, t.elapsed(), c.statistics(), hwm(), r.problems);
    }
}
