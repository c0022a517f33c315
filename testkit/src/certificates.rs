//! Certificates under an authority of the test's own.

use std::{fs, path::Path};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// Signs certificates, and is trusted by whoever is given its own.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate with its key, both as PEM.
pub struct Certificate {
    /// The certificate.
    pub chain: String,
    /// Its private key.
    pub key: String,
}

impl Authority {
    /// A new one, that nobody knows yet.
    #[must_use]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, "Authority of a test");
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { issuer, pem }
    }

    /// Its own certificate, as PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for some names, wildcards and addresses in digits among them.
    #[must_use]
    pub fn certificate(&self, names: &[&str]) -> Certificate {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(names).unwrap();
        let chain = params.signed_by(&key, &self.issuer).unwrap().pem();
        Certificate {
            chain,
            key: key.serialize_pem(),
        }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Certificate {
    /// Puts it into a folder of a directory, the way that services and the gateway look for it.
    pub fn put(&self, directory: &Path, folder: &str) {
        let folder = directory.join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("privkey.pem"), &self.key).unwrap();
        fs::write(folder.join("fullchain.pem"), &self.chain).unwrap();
    }
}
