//! Values that stand in for secrets in a rehearsal.

/// A public key that nobody has the private part of.
const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAt+sudxxVvln+r1MgNi6H\n\
OdLx8Gk3VgguMNNl1+8TchSokkHDpEz2bXjra9z/kRpazuNyaTzCIEAxsYWmuwRg\n\
w/82JY9VEPI8yfhSAnZ0TWSl36zLyiimGKDAqY7HAHJ6m5nbYLMPabGROXv1OOIN\n\
vCD+rMhcZeFPRTGjIPOmkU172cDVORdNCGBe9mhJYVmqdN1KbSaVK6qCe2N4TKZq\n\
9hw5AT7BIy3vy2GSWu9dK5TlJqu0A3gUFL2z8tnMdIgk59UT2WhywpuLo+cRKjPy\n\
Uk0bHWF1MRgg3cEmWe3nWESLE2sFdVJBOQyFFPiL4wZyPQtPC2QsGQ13Ef5psw4q\n\
nwIDAQAB\n\
-----END PUBLIC KEY-----\n";

/// Makes up a value for a secret by its name, as exports name them: what is a key gets a key, all else a text.
pub fn made_up(name: &str) -> String {
    if name.ends_with("_PEM") || name.contains("_PEM_") {
        return PUBLIC_KEY.to_owned();
    }
    format!("made up for {name}")
}
