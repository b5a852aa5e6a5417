//! The settings of a connection: those of the connection string, else of its service, else of the environment, else the defaults.

use crate::parse::{KNOWN, encoded, pairs};
use crate::{Environment, passfile, service};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where a server listens, and the password for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// A name or an IP address, which is also what a certificate must be for; or the folder of a socket, which begins with `/`.
    pub host: String,
    /// The IP address to connect to, if it was given apart from the name.
    pub ip: Option<String>,
    /// The port.
    pub port: u16,
    /// The password, if there is one.
    pub password: Option<String>,
}

impl fmt::Debug for Address {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Address {
    /// Whether it is a socket of this machine, which neither has an address nor speaks TLS.
    pub fn is_socket(&self) -> bool {
        self.host.starts_with(['/', '@'])
    }

    /// `host:port` to connect to.
    pub fn to_connect(&self) -> String {
        let host = self.ip.as_ref().unwrap_or(&self.host);
        if host.contains(':') { format!("[{host}]:{}", self.port) } else { format!("{host}:{}", self.port) }
    }
}

/// How much TLS is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SslMode {
    /// None.
    Disable,
    /// Only if the server refuses a connection without.
    Allow,
    /// If the server offers it. The default.
    Prefer,
    /// Always; the certificate is not verified, unless there is a root certificate.
    Require,
    /// Always, with a certificate of a known authority.
    VerifyCa,
    /// Always, with a certificate of a known authority for this host.
    VerifyFull,
}

const SSL_MODES: [(&str, SslMode); 6] = [
    ("disable", SslMode::Disable),
    ("allow", SslMode::Allow),
    ("prefer", SslMode::Prefer),
    ("require", SslMode::Require),
    ("verify-ca", SslMode::VerifyCa),
    ("verify-full", SslMode::VerifyFull),
];

impl SslMode {
    /// Its name in a connection string.
    pub fn as_str(self) -> &'static str {
        SSL_MODES.iter().find(|(_, mode)| *mode == self).map_or("", |(name, _)| name)
    }
}

/// The settings of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The servers, in the order in which they are tried.
    pub addresses: Vec<Address>,
    /// The user.
    pub user: String,
    /// The database.
    pub database: String,
    /// How much TLS is asked for.
    pub ssl_mode: SslMode,
    /// The file with the certificates of authorities; `system` for those of the system. None if there is no such file.
    pub root_certificate: Option<PathBuf>,
    /// The time after which a server that does not answer is given up.
    pub timeout: Duration,
}

/// Why a connection string cannot be used. Quotes nothing of it that could be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SettingsError {
    reason: String,
    is_incomplete: bool,
}

impl SettingsError {
    /// Whether the text is well-formed, and only the environment lacks what it leaves open.
    pub fn is_incomplete(&self) -> bool {
        self.is_incomplete
    }
}

/// The port of a server that names none.
const PORT: u16 = 5432;

/// The default of libpq is to wait for ever.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Keywords whose values are files that are read.
const OF_FILES: [&str; 2] = ["passfile", "sslrootcert"];

/// The value of `sslrootcert` that stands for the certificates of the system.
pub(crate) const SYSTEM: &str = "system";

/// Keywords whose variable has another name than `PG` and the keyword in capitals.
const VARIABLES: [(&str, &str); 4] = [
    ("dbname", "PGDATABASE"),
    ("application_name", "PGAPPNAME"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
];

/// Keywords that are looked up in the environment.
const OF_ENVIRONMENT: [&str; 15] = [
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "passfile",
    "channel_binding",
    "connect_timeout",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "gssencmode",
    "target_session_attrs",
];

/// Keywords with the only values that are supported; everything else is refused, because a connector could not do it.
const LIMITED: [(&str, &[&str], &str); 9] = [
    ("sslcert", &[], "client certificates are not supported; use a password"),
    ("sslkey", &[], "client certificates are not supported; use a password"),
    ("sslcrl", &[], "lists of revoked certificates are not supported"),
    ("sslcrldir", &[], "lists of revoked certificates are not supported"),
    ("sslnegotiation", &["postgres"], "only `postgres` is supported"),
    (
        "channel_binding",
        &["disable", "prefer"],
        "connectors cannot bind the channel, because the host speaks TLS for them; use `prefer`",
    ),
    ("gssencmode", &["disable", "prefer"], "GSSAPI is not supported; use `prefer`"),
    (
        "target_session_attrs",
        &["any", "read-write", "primary"],
        "a server is needed that can be written to; use `read-write`",
    ),
    ("options", &[], "settings are not passed on; set them with ALTER ROLE … SET"),
];

impl Settings {
    /// The settings that the connection string `text` has in `environment`.
    pub fn resolve(text: &str, environment: &Environment) -> Result<Self, SettingsError> {
        let values = Values::collect(text, environment)?;
        values.refuse_unsupported()?;
        let user = values
            .get("user")
            .or(environment.user())
            .ok_or_else(|| incomplete("it names no user, and this process has none"))?;
        let database = values.get("dbname").unwrap_or(user);
        let ssl_mode = values.ssl_mode()?;
        Ok(Self {
            addresses: values.addresses(user, database, environment)?,
            user: user.to_owned(),
            database: database.to_owned(),
            ssl_mode,
            root_certificate: values.root_certificate(environment),
            timeout: values.timeout()?,
        })
    }

    /// The files that the connection string `text` itself names, and that are read to connect.
    pub fn files(text: &str) -> Result<Vec<PathBuf>, SettingsError> {
        let pairs = pairs(text).map_err(wrong)?.into_iter();
        let of_files = pairs.filter(|pair| OF_FILES.contains(&pair.keyword.as_str()));
        let named = of_files.filter(|pair| !pair.value.is_empty() && pair.value != SYSTEM);
        Ok(named.map(|pair| PathBuf::from(pair.value)).collect())
    }

    /// The connection string for clients that read no environment, for the server at `address`, with its password.
    pub fn url(&self, address: &Address, ssl_mode: SslMode) -> String {
        let password = address.password.as_ref().map_or_else(String::new, |password| format!(":{}", encoded(password)));
        let mut url = format!("{}{password}@{}", self.login(), self.place(address));
        url.push_str(&format!("?sslmode={}", ssl_mode.as_str()));
        if let Some(root) = self.root_certificate.as_ref().filter(|_| ssl_mode >= SslMode::Require) {
            url.push_str(&format!("&sslrootcert={}", encoded(&root.to_string_lossy())));
        }
        if let Some(ip) = &address.ip {
            url.push_str(&format!("&hostaddr={}", encoded(ip)));
        }
        url
    }

    /// The same without password and parameters, to be shown.
    pub fn shown(&self, address: &Address) -> String {
        format!("{}@{}", self.login(), self.place(address))
    }

    fn login(&self) -> String {
        format!("postgres://{}", encoded(&self.user))
    }

    fn place(&self, address: &Address) -> String {
        let host = if address.host.contains(':') { format!("[{}]", address.host) } else { encoded(&address.host) };
        format!("{host}:{}/{}", address.port, encoded(&self.database))
    }
}

/// Values of keywords, each from the first place that has one.
struct Values(BTreeMap<String, String>);

impl Values {
    fn collect(text: &str, environment: &Environment) -> Result<Self, SettingsError> {
        let mut values = BTreeMap::new();
        for pair in pairs(text).map_err(wrong)? {
            if !KNOWN.contains(&pair.keyword.as_str()) {
                return Err(wrong(format!("`{}` is none of the keywords of libpq", pair.keyword)));
            }
            if !pair.value.is_empty() {
                values.insert(pair.keyword, pair.value);
            }
        }
        let mut values = Self(values);
        values.add_service(environment)?;
        for keyword in OF_ENVIRONMENT {
            let other = VARIABLES.iter().find(|(known, _)| *known == keyword).map(|(_, name)| (*name).to_owned());
            let name = other.unwrap_or_else(|| format!("PG{}", keyword.to_ascii_uppercase()));
            if let Some(value) = environment.variable(&name) {
                values.0.entry(keyword.to_owned()).or_insert_with(|| value.to_owned());
            }
        }
        Ok(values)
    }

    fn add_service(&mut self, environment: &Environment) -> Result<(), SettingsError> {
        let Some(name) = self.get("service").or(environment.variable("PGSERVICE")).map(str::to_owned) else {
            return Ok(());
        };
        let of_user = environment.variable("PGSERVICEFILE").map(PathBuf::from);
        let of_user = of_user.or_else(|| environment.in_home(".pg_service.conf"));
        let of_system =
            environment.variable("PGSYSCONFDIR").map(|folder| PathBuf::from(folder).join("pg_service.conf"));
        let files: Vec<_> = of_user.into_iter().chain(of_system).filter(|file| file.exists()).collect();
        for file in &files {
            if let Some(settings) = service::settings(file, &name).map_err(wrong)? {
                for (keyword, value) in settings {
                    self.0.entry(keyword).or_insert(value);
                }
                return Ok(());
            }
        }
        let searched: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
        let searched = if searched.is_empty() { "there is no service file".to_owned() } else { searched.join(" and ") };
        Err(incomplete(format!(
            "the service `{name}` is not defined ({searched}); define it, or give host, user and database"
        )))
    }

    fn get(&self, keyword: &str) -> Option<&str> {
        self.0.get(keyword).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn refuse_unsupported(&self) -> Result<(), SettingsError> {
        for (keyword, supported, reason) in LIMITED {
            match self.get(keyword) {
                Some(value) if !supported.contains(&value) => return Err(wrong(format!("`{keyword}`: {reason}"))),
                _ => {}
            }
        }
        Ok(())
    }

    fn ssl_mode(&self) -> Result<SslMode, SettingsError> {
        let Some(text) = self.get("sslmode") else { return Ok(SslMode::Prefer) };
        let known = SSL_MODES.iter().find(|(name, _)| *name == text).map(|(_, mode)| *mode);
        known.ok_or_else(|| {
            let names: Vec<_> = SSL_MODES.iter().map(|(name, _)| *name).collect();
            wrong(format!("`sslmode` must be one of {}", names.join(", ")))
        })
    }

    fn root_certificate(&self, environment: &Environment) -> Option<PathBuf> {
        let of_home = || environment.in_home(".postgresql/root.crt").filter(|file| file.exists());
        self.get("sslrootcert").map(PathBuf::from).or_else(of_home)
    }

    fn timeout(&self) -> Result<Duration, SettingsError> {
        let Some(text) = self.get("connect_timeout") else { return Ok(TIMEOUT) };
        let seconds = text.trim().parse::<i64>().map_err(|_| wrong("`connect_timeout` must be a number of seconds"))?;
        Ok(u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map_or(TIMEOUT, Duration::from_secs))
    }

    /// Hosts and ports in pairs. Without any, the server on this machine, over TCP because components cannot use a socket.
    fn addresses(&self, user: &str, database: &str, environment: &Environment) -> Result<Vec<Address>, SettingsError> {
        let list =
            |keyword: &str| self.get(keyword).map(|text| text.split(',').map(|part| part.trim().to_owned()).collect());
        let (hosts, ips): (Vec<String>, Vec<String>) =
            (list("host").unwrap_or_default(), list("hostaddr").unwrap_or_default());
        let number = hosts.len().max(ips.len()).max(1);
        let ports: Vec<String> = list("port").unwrap_or_default();
        let is_even = |length: usize| length == 0 || length == number;
        if !is_even(hosts.len()) || !is_even(ips.len()) || !(ports.len() <= 1 || ports.len() == number) {
            return Err(wrong("the numbers of hosts, addresses and ports differ"));
        }
        (0..number)
            .map(|index| {
                let ip = ips.get(index).filter(|ip| !ip.is_empty()).cloned();
                let host = hosts.get(index).filter(|host| !host.is_empty()).cloned();
                let host = host.or_else(|| ip.clone()).unwrap_or_else(|| "localhost".to_owned());
                let port = ports.get(index).or(ports.first()).filter(|port| !port.is_empty());
                let port = port.map_or(Ok(PORT), |port| port.parse()).ok().filter(|port| *port > 0);
                let port = port.ok_or_else(|| wrong("a port is not a number from 1 to 65535"))?;
                let password = self.get("password").map(str::to_owned);
                let password = password.or_else(|| {
                    let file = self.get("passfile").map(PathBuf::from).or_else(|| environment.in_home(".pgpass"))?;
                    passfile::password(&file, [&host, &port.to_string(), database, user])
                });
                Ok(Address { host, ip, port, password })
            })
            .collect()
    }
}

fn incomplete(reason: impl Into<String>) -> SettingsError {
    SettingsError { reason: reason.into(), is_incomplete: true }
}

fn wrong(reason: impl Into<String>) -> SettingsError {
    SettingsError { reason: reason.into(), is_incomplete: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    /// Resolves `text` and compares the settings with `expect`, or an error with a part of it.
    #[track_caller]
    fn check(text: &str, environment: &Environment, expect: Result<&str, &str>) {
        let shown = Settings::resolve(text, environment).map(|settings| {
            let address = |address: &Address| {
                let password = address.password.as_deref().unwrap_or("-");
                format!("{} ({password})", address.to_connect())
            };
            let addresses: Vec<_> = settings.addresses.iter().map(address).collect();
            let Settings { user, database, ssl_mode, .. } = &settings;
            format!("{user} {database} {} {}", addresses.join(" "), ssl_mode.as_str())
        });
        match (shown, expect) {
            (Ok(found), Ok(expect)) => assert_eq!(found, expect, "{text}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{text}: {error}"),
            (found, expect) => panic!("{text}: {found:?}, expected {expect:?}"),
        }
    }

    fn plain() -> Environment {
        Environment::new([], None, "ann")
    }

    #[test]
    fn missing_settings_have_the_defaults_of_libpq() {
        check("postgres://", &plain(), Ok("ann ann localhost:5432 (-) prefer"));
        check("postgres://bob@db", &plain(), Ok("bob bob db:5432 (-) prefer"));
        check("host=db port=6000 user=bob password=x dbname=shop", &plain(), Ok("bob shop db:6000 (x) prefer"));
        check("postgres://a,b:2/d", &plain(), Ok("ann d a:5432 (-) b:2 (-) prefer"));
        check("host=a,b port=7", &plain(), Ok("ann ann a:7 (-) b:7 (-) prefer"));
        check("host=db hostaddr=::1", &plain(), Ok("ann ann [::1]:5432 (-) prefer"));
        check("postgres://h/d?sslmode=verify-full", &plain(), Ok("ann d h:5432 (-) verify-full"));
    }

    #[test]
    fn environment_fills_what_the_text_leaves_open() {
        let variables = [
            ("PGHOST", "db"),
            ("PGPORT", "6000"),
            ("PGUSER", "bob"),
            ("PGPASSWORD", "x"),
            ("PGDATABASE", "shop"),
            ("PGSSLMODE", "require"),
        ];
        let environment = Environment::new(variables, None, "ann");
        check("postgres://", &environment, Ok("bob shop db:6000 (x) require"));
        check("postgres://eve:y@other:1/d?sslmode=disable", &environment, Ok("eve d other:1 (y) disable"));
        check("postgres://", &Environment::new([("PGUSER", "")], None, "ann"), Ok("ann ann localhost:5432 (-) prefer"));
    }

    #[test]
    fn files_of_the_user_have_passwords_and_services() {
        let home = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = home.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        };
        write(".pgpass", "db:5432:shop:bob:of the file\n");
        write(".pg_service.conf", "[shop]\nhost=db\ndbname=shop\nuser=bob\n");
        let environment = Environment::new([], Some(home.path()), "ann");
        check("service=shop", &environment, Ok("bob shop db:5432 (of the file) prefer"));
        check("service=shop user=eve", &environment, Ok("eve shop db:5432 (-) prefer"));
        check("service=none", &environment, Err("the service `none` is not defined ("));
        check("service=shop", &plain(), Err("there is no service file"));
        let of_variables = Environment::new([("PGSERVICE", "shop"), ("PGHOST", "other")], Some(home.path()), "ann");
        check("postgres://", &of_variables, Ok("bob shop db:5432 (of the file) prefer"));
    }

    #[test]
    fn files_of_a_connection_are_those_that_it_names() {
        let check = |text: &str, expect: &[&str]| {
            let expect: Vec<_> = expect.iter().map(PathBuf::from).collect();
            assert_eq!(Settings::files(text).unwrap(), expect, "{text}");
        };
        check("host=h passfile=/p sslrootcert='/a b'", &["/p", "/a b"]);
        check("postgres://h/d?sslrootcert=%2Fr.crt", &["/r.crt"]);
        check("host=h passfile=/p passfile=/q", &["/p", "/q"]);
        check("postgres://h/d?sslrootcert=system", &[]);
        check("service=shop passfile=''", &[]);
    }

    #[test]
    fn unsupported_keyword_is_refused_by_name() {
        check("postgres://h/d?sslcert=a.crt", &plain(), Err("`sslcert`: client certificates are not supported"));
        check("postgres://h/d?channel_binding=require", &plain(), Err("`channel_binding`: connectors cannot bind"));
        check("postgres://h/d?sslmode=sometimes", &plain(), Err("`sslmode` must be one of disable, allow"));
        check("host=h colour=red", &plain(), Err("`colour` is none of the keywords"));
        check("host=a,b,c port=1,2", &plain(), Err("the numbers of hosts"));
        check("host=h port=70000", &plain(), Err("a port is not a number from 1"));
        check("mysql://h/d", &plain(), Err("a keyword has no `=`"));
        let secret = Settings::resolve("postgres://ann:s3/cret@h", &plain()).unwrap_err().to_string();
        assert!(!secret.contains("s3") && !secret.contains("cret"), "{secret}");
    }

    #[test]
    fn url_for_clients_resolves_to_the_same_settings() {
        let text = "host=db user='a b' password='p@/?#:%' dbname=d/e sslmode=require sslrootcert=/r.crt";
        let settings = Settings::resolve(text, &plain()).unwrap();
        let url = settings.url(&settings.addresses[0], settings.ssl_mode);
        assert_eq!(Settings::resolve(&url, &plain()).unwrap(), settings);
        assert_eq!(settings.root_certificate.as_deref(), Some(Path::new("/r.crt")));
        assert_eq!(settings.shown(&settings.addresses[0]), "postgres://a%20b@db:5432/d%2Fe");
        let debug = format!("{settings:?}");
        assert!(!debug.contains("p@/"), "{debug}");
    }
}
