//! Kinds that auth0-deploy-cli 8.43 knows and where its layouts keep them, for those Tenantry does not know yet.

/// Where the directory layout keeps a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// Files in a folder.
    Folder(&'static str),
    /// A file, without extension.
    File(&'static str),
}

/// Kinds of auth0-deploy-cli 8.43 with their homes.
pub(crate) const KINDS: [(&str, Home); 43] = [
    ("rules", Home::Folder("rules")),
    ("rulesConfigs", Home::Folder("rules-configs")),
    ("hooks", Home::Folder("hooks")),
    ("pages", Home::Folder("pages")),
    ("resourceServers", Home::Folder("resource-servers")),
    ("clients", Home::Folder("clients")),
    ("databases", Home::Folder("database-connections")),
    ("connections", Home::Folder("connections")),
    ("tenant", Home::File("tenant")),
    ("emailProvider", Home::File("emails/provider")),
    ("emailTemplates", Home::Folder("emails")),
    ("clientGrants", Home::Folder("grants")),
    ("guardianFactors", Home::Folder("guardian/factors")),
    ("guardianFactorProviders", Home::Folder("guardian/providers")),
    ("guardianFactorTemplates", Home::Folder("guardian/templates")),
    ("guardianPolicies", Home::File("guardian/policies")),
    ("guardianPhoneFactorSelectedProvider", Home::File("guardian/phoneFactorSelectedProvider")),
    ("guardianPhoneFactorMessageTypes", Home::File("guardian/phoneFactorMessageTypes")),
    ("roles", Home::Folder("roles")),
    ("branding", Home::Folder("branding")),
    ("phoneProviders", Home::Folder("phone-providers")),
    ("phoneTemplates", Home::Folder("phone-templates")),
    ("prompts", Home::Folder("prompts")),
    ("actions", Home::Folder("actions")),
    ("actionModules", Home::Folder("action-modules")),
    ("triggers", Home::Folder("triggers")),
    ("organizations", Home::Folder("organizations")),
    ("attackProtection", Home::Folder("attack-protection")),
    ("riskAssessment", Home::Folder("risk-assessment")),
    ("logStreams", Home::Folder("log-streams")),
    ("customDomains", Home::Folder("custom-domains")),
    ("themes", Home::Folder("themes")),
    ("forms", Home::Folder("forms")),
    ("flows", Home::Folder("flows")),
    ("flowVaultConnections", Home::Folder("flow-vault-connections")),
    ("selfServiceProfiles", Home::Folder("self-service-profiles")),
    ("networkACLs", Home::Folder("network-acls")),
    ("userAttributeProfiles", Home::Folder("user-attribute-profiles")),
    ("connectionProfiles", Home::Folder("connection-profiles")),
    ("tokenExchangeProfiles", Home::Folder("token-exchange-profiles")),
    ("supplementalSignals", Home::File("supplemental-signals")),
    ("rateLimitPolicies", Home::Folder("rate-limit-policies")),
    ("eventStreams", Home::Folder("event-streams")),
];

/// Kinds that auth0-deploy-cli once had; with the version that dropped them.
pub(crate) const DROPPED: [(&str, &str); 1] = [("migrations", "8.0")];

/// A name that stands for no resources of its own: it may be excluded, not described.
pub(crate) const VIRTUAL: &str = "clientAuthCredentials";

/// Folders whose files `{}` auth0-deploy-cli 8.43 leaves out.
pub(crate) const EMPTY_IS_ABSENT: [&str; 9] = [
    "clients",
    "connections",
    "grants",
    "resource-servers",
    "log-streams",
    "network-acls",
    "rate-limit-policies",
    "event-streams",
    "rules-configs",
];

/// Folders in which a single YAML file has JSON side files: finding some does not make it a directory.
pub(crate) const SINGLE_FILE_JSON: [&str; 3] = ["flows", "forms", "prompts/screenRenderSettings"];

/// A member of a single resource that the directory layout keeps in a file or folder of its own.
pub(crate) struct Piece {
    /// The folder of the kind.
    pub(crate) folder: &'static str,
    /// The member.
    pub(crate) member: &'static str,
    /// Where it stands.
    pub(crate) home: PieceHome,
}

/// How a [`Piece`] is kept.
pub(crate) enum PieceHome {
    /// A file holds the value; path without extension.
    File(&'static str),
    /// Each file of a folder holds an item of the list.
    List(&'static str),
    /// Each file of a folder holds the settings of one screen, and says which: `prompt`, `screen`.
    Screens(&'static str),
    /// A file tells which texts stand in which files: `prompt → [{screen → [{name, template}]}]`.
    Partials(&'static str),
}

/// The pieces of auth0-deploy-cli's directory layout.
pub(crate) const PIECES: [Piece; 9] = [
    Piece { folder: "attack-protection", member: "botDetection", home: PieceHome::File("bot-detection") },
    Piece {
        folder: "attack-protection",
        member: "breachedPasswordDetection",
        home: PieceHome::File("breached-password-detection"),
    },
    Piece {
        folder: "attack-protection",
        member: "bruteForceProtection",
        home: PieceHome::File("brute-force-protection"),
    },
    Piece { folder: "attack-protection", member: "captcha", home: PieceHome::File("captcha") },
    Piece {
        folder: "attack-protection",
        member: "suspiciousIpThrottling",
        home: PieceHome::File("suspicious-ip-throttling"),
    },
    Piece { folder: "prompts", member: "customText", home: PieceHome::File("custom-text") },
    Piece { folder: "prompts", member: "partials", home: PieceHome::Partials("partials") },
    Piece { folder: "prompts", member: "screenRenderers", home: PieceHome::Screens("screenRenderSettings") },
    Piece { folder: "branding", member: "templates", home: PieceHome::List("templates") },
];
