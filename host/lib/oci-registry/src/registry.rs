//! The API of a registry, as far as modules need it: manifests, blobs, referrers and tags.

use crate::auth::{Challenge, TokenJson};
use crate::credentials::Credentials;
use crate::error::RegistryError;
use crate::url::{Url, is_loopback};
use crate::wire::{Answer, Http, Question, Target};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use module_store::{Descriptor, Digest, Index, RemoteReference, media_type};
use serde::Deserialize;
use std::cell::RefCell;
use std::io::Write;

/// A registry.
pub struct Registry {
    base: Url,
    http: Http,
    credentials: Option<Credentials>,
    /// The header `authorization` that was accepted last.
    authorization: RefCell<Option<HeaderValue>>,
    /// Whether a token may be fetched without TLS from another machine.
    allows_plain: bool,
}

/// Whether a registry is reached with TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// With TLS, except on this machine.
    #[default]
    ByHost,
    /// Without TLS. A token may then be fetched from the same server without TLS too.
    Plain,
    /// With TLS, on this machine too.
    Tls,
}

/// A manifest as it came.
#[derive(Clone, Debug)]
pub(crate) struct ReceivedManifest {
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: Digest,
}

/// The largest number of times that a location is followed.
const REDIRECTS_MAX: usize = 5;

/// The largest number of pages of tags.
const TAG_PAGES_MAX: usize = 100;

/// The tags of a repository.
#[derive(Deserialize)]
struct TagsJson {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// The errors that a registry explains.
#[derive(Deserialize)]
struct ErrorsJson {
    errors: Vec<ErrorJson>,
}

#[derive(Deserialize)]
struct ErrorJson {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Registry {
    /// The registry at `host`, with `credentials` if it asks for some.
    pub fn new(host: &str, credentials: Option<Credentials>, transport: Transport) -> Result<Self, RegistryError> {
        let is_tls = match transport {
            Transport::ByHost => !is_loopback(host),
            Transport::Plain => false,
            Transport::Tls => true,
        };
        let allows_plain = transport == Transport::Plain;
        let base = Url { is_tls, authority: host.to_owned(), path: "/v2/".to_owned() };
        let authorization = RefCell::new(None);
        Ok(Self { base, http: Http::new()?, credentials, authorization, allows_plain })
    }

    /// Its host.
    pub fn host(&self) -> &str {
        &self.base.authority
    }

    /// The manifest `reference`, a tag or a digest, of `repository`; `None` if it is not there.
    pub(crate) fn manifest(
        &self,
        repository: &str,
        reference: &str,
    ) -> Result<Option<ReceivedManifest>, RegistryError> {
        let mut question = self.question(Method::GET, repository, &format!("manifests/{reference}"));
        let accepted = format!("{}, {}", media_type::MANIFEST, media_type::INDEX);
        question.headers.insert(header::ACCEPT, value(&accepted));
        let answer = self.ask(question, None)?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            _ => return Err(self.refused(&format!("the manifest {reference}"), &answer)),
        }
        let found = Digest::of_bytes(&answer.body);
        match reference.parse::<Digest>() {
            Ok(wanted) if wanted != found => {
                Err(RegistryError::WrongDigest { host: self.host().to_owned(), wanted, found })
            }
            _ => Ok(Some(ReceivedManifest { bytes: answer.body, digest: found })),
        }
    }

    /// Writes the blob to `writer`. The caller checks its digest.
    pub(crate) fn blob(
        &self,
        repository: &str,
        blob: &Descriptor,
        writer: &mut dyn Write,
    ) -> Result<(), RegistryError> {
        let question = self.question(Method::GET, repository, &format!("blobs/{}", blob.digest));
        // One byte more than announced is enough to see that it is not the one.
        let bytes_max = blob.size.saturating_add(1);
        let answer = self.ask(question, Some(Target { writer, bytes_max }))?;
        match answer.status {
            StatusCode::OK => Ok(()),
            StatusCode::NOT_FOUND => Err(RegistryError::NotFound {
                reference: format!("the blob {} of {repository}", blob.digest),
                tags: Vec::new(),
            }),
            _ => Err(self.refused(&format!("the blob {}", blob.digest), &answer)),
        }
    }

    /// Uploads a blob that the repository does not have. Returns whether it was uploaded.
    pub(crate) fn push_blob(&self, repository: &str, digest: &Digest, bytes: Vec<u8>) -> Result<bool, RegistryError> {
        let there = self.ask(self.question(Method::HEAD, repository, &format!("blobs/{digest}")), None)?;
        if there.status == StatusCode::OK {
            return Ok(false);
        }
        let question = self.question(Method::POST, repository, "blobs/uploads/");
        let begun = self.ask(question.clone(), None)?;
        let what = format!("the upload of {digest}");
        if begun.status != StatusCode::ACCEPTED {
            return Err(self.refused(&what, &begun));
        }
        let location = self.location(&question.url, &begun)?.with_query("digest", &digest.to_string());
        let mut question =
            Question { method: Method::PUT, url: location, headers: HeaderMap::new(), body: Bytes::from(bytes) };
        question.headers.insert(header::CONTENT_TYPE, value("application/octet-stream"));
        let done = self.ask(question, None)?;
        if done.status == StatusCode::CREATED { Ok(true) } else { Err(self.refused(&what, &done)) }
    }

    /// Stores a manifest under `reference`. Returns whether the registry lists it with the manifest that it is attached to.
    pub(crate) fn push_manifest(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        bytes: Vec<u8>,
    ) -> Result<bool, RegistryError> {
        let mut question = self.question(Method::PUT, repository, &format!("manifests/{reference}"));
        question.headers.insert(header::CONTENT_TYPE, value(media_type));
        question.body = Bytes::from(bytes);
        let answer = self.ask(question, None)?;
        if answer.status != StatusCode::CREATED {
            return Err(self.refused(&format!("the manifest {reference}"), &answer));
        }
        Ok(answer.headers.contains_key("oci-subject"))
    }

    /// The manifests that are attached to `subject`: by the API, or by the tag that stands for it where there is none.
    pub(crate) fn referrers(&self, repository: &str, subject: &Digest) -> Result<Vec<Descriptor>, RegistryError> {
        let answer = self.ask(self.question(Method::GET, repository, &format!("referrers/{subject}")), None)?;
        let is_index = answer
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(media_type::INDEX.as_bytes()));
        if answer.status == StatusCode::OK && is_index {
            return Ok(self.index(&answer.body)?.manifests);
        }
        match answer.status {
            // Some registries answer with the page of a web interface.
            StatusCode::OK | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                self.fallback(repository, subject)
            }
            _ => Err(self.refused(&format!("what is attached to {subject}"), &answer)),
        }
    }

    /// The manifests that the tag of `subject` lists.
    pub(crate) fn fallback(&self, repository: &str, subject: &Digest) -> Result<Vec<Descriptor>, RegistryError> {
        match self.manifest(repository, &fallback_tag(subject))? {
            Some(manifest) => Ok(self.index(&manifest.bytes)?.manifests),
            None => Ok(Vec::new()),
        }
    }

    /// The first tags of `repository`, as a hint; none if they cannot be had.
    pub(crate) fn tags(&self, repository: &str) -> Vec<String> {
        let mut tags = self.list_tags(repository).unwrap_or_default();
        tags.truncate(20);
        tags
    }

    /// The tags of `repository` that an address can have, without those that stand for digests.
    pub fn list_tags(&self, repository: &str) -> Result<Vec<String>, RegistryError> {
        let is_address = |tag: &String| format!("oci://host/name:{tag}").parse::<RemoteReference>().is_ok();
        let mut question = self.question(Method::GET, repository, "tags/list");
        let mut tags = Vec::new();
        for _ in 0..TAG_PAGES_MAX {
            let answer = self.ask(question.clone(), None)?;
            match answer.status {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND => {
                    let reference = format!("oci://{}/{repository}", self.host());
                    return Err(RegistryError::NotFound { reference, tags: Vec::new() });
                }
                _ => return Err(self.refused("the list of tags", &answer)),
            }
            let page: TagsJson = serde_json::from_slice(&answer.body).map_err(|error| RegistryError::NotAModule {
                what: format!("the list of tags, from {}", self.host()),
                reason: error.to_string(),
            })?;
            let page = page.tags.unwrap_or_default().into_iter();
            tags.extend(page.filter(|tag| !tag.starts_with("sha256-") && is_address(tag)));
            let next = next_page(&answer.headers).and_then(|next| question.url.join(next));
            match next.filter(|next| next.is_same_server(&self.base)) {
                Some(next) => question.url = next,
                None => break,
            }
        }
        Ok(tags)
    }

    fn index(&self, bytes: &[u8]) -> Result<Index, RegistryError> {
        serde_json::from_slice(bytes).map_err(|error| RegistryError::NotAModule {
            what: format!("the list of what is attached, from {}", self.host()),
            reason: error.to_string(),
        })
    }

    fn question(&self, method: Method, repository: &str, rest: &str) -> Question {
        let url = Url { path: format!("/v2/{repository}/{rest}"), ..self.base.clone() };
        Question { method, url, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// Sends `question`, follows locations, and answers what the registry wants to know about the user.
    fn ask(&self, question: Question, mut target: Option<Target<'_>>) -> Result<Answer, RegistryError> {
        let mut question = question;
        let mut has_tried = false;
        for _ in 0..=REDIRECTS_MAX {
            self.authorize(&mut question);
            let again =
                target.as_mut().map(|target| Target { writer: &mut *target.writer, bytes_max: target.bytes_max });
            let answer = self.http.send(&question, again)?;
            if answer.status == StatusCode::UNAUTHORIZED && question.url.is_same_server(&self.base) {
                let denied = || RegistryError::Denied {
                    host: self.host().to_owned(),
                    has_credentials: self.credentials.is_some(),
                };
                if has_tried {
                    return Err(denied());
                }
                has_tried = true;
                *self.authorization.borrow_mut() = Some(self.answer_to(&answer)?.ok_or_else(denied)?);
            } else if answer.status.is_redirection() && question.method == Method::GET {
                question.url = self.location(&question.url, &answer)?;
            } else {
                return Ok(answer);
            }
        }
        Err(RegistryError::Broken {
            host: self.host().to_owned(),
            reason: "it sends from one place to another".to_owned(),
        })
    }

    /// Adds what the registry has accepted, for the registry itself only.
    fn authorize(&self, question: &mut Question) {
        question.headers.remove(header::AUTHORIZATION);
        if let Some(authorization) =
            self.authorization.borrow().clone().filter(|_| question.url.is_same_server(&self.base))
        {
            question.headers.insert(header::AUTHORIZATION, authorization);
        }
    }

    /// The header `authorization` that the challenges of `answer` ask for; `None` if there are no credentials for it.
    fn answer_to(&self, answer: &Answer) -> Result<Option<HeaderValue>, RegistryError> {
        let challenges =
            answer.headers.get_all(header::WWW_AUTHENTICATE).iter().filter_map(|header| header.to_str().ok());
        match challenges.filter_map(Challenge::parse).next() {
            Some(Challenge::Bearer { realm, service, scope }) => {
                self.token(&realm, service.as_deref(), scope.as_deref()).map(Some)
            }
            _ => Ok(self.credentials.as_ref().map(|credentials| secret(&credentials.basic()))),
        }
    }

    /// A token of the server `realm`, for the user if there are credentials.
    fn token(&self, realm: &str, service: Option<&str>, scope: Option<&str>) -> Result<HeaderValue, RegistryError> {
        let broken = |reason: &str| RegistryError::Broken { host: self.host().to_owned(), reason: reason.to_owned() };
        let mut url = Url::parse(realm).ok_or_else(|| broken("it names no server that gives tokens"))?;
        if !(url.is_tls || is_loopback(&url.authority) || self.allows_plain && url.is_same_server(&self.base)) {
            return Err(RegistryError::PlainHttp(url.authority));
        }
        for (name, text) in [("service", service), ("scope", scope)] {
            if let Some(text) = text {
                url = url.with_query(name, text);
            }
        }
        let mut question = Question { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() };
        if let Some(credentials) = &self.credentials {
            question.headers.insert(header::AUTHORIZATION, secret(&credentials.basic()));
        }
        let answer = self.http.send(&question, None)?;
        if answer.status != StatusCode::OK {
            let has_credentials = self.credentials.is_some();
            return Err(RegistryError::Denied { host: question.url.authority, has_credentials });
        }
        let token = serde_json::from_slice::<TokenJson>(&answer.body).ok().and_then(TokenJson::token);
        let token = token.filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic()));
        let token = token.ok_or_else(|| broken("the server that gives tokens gave none"))?;
        Ok(secret(&format!("Bearer {token}")))
    }

    /// Where `answer` sends to.
    fn location(&self, from: &Url, answer: &Answer) -> Result<Url, RegistryError> {
        let location = answer.headers.get(header::LOCATION).and_then(|location| location.to_str().ok());
        let url = location.and_then(|location| from.join(location)).ok_or_else(|| RegistryError::Broken {
            host: self.host().to_owned(),
            reason: "it sends to another place, and does not say where".to_owned(),
        })?;
        if from.is_tls && !url.is_tls {
            return Err(RegistryError::PlainHttp(url.authority));
        }
        Ok(url)
    }

    fn refused(&self, what: &str, answer: &Answer) -> RegistryError {
        let errors = serde_json::from_slice::<ErrorsJson>(&answer.body).map(|answer| answer.errors).unwrap_or_default();
        let texts = errors.iter().map(|error| format!("{} {}", error.code, error.message).trim().to_owned());
        let mut detail: String = texts.collect::<Vec<_>>().join(", ").chars().take(200).collect();
        if !self.base.is_tls && speaks_tls(answer) {
            detail =
                "it expects TLS; `registry pull --tls` and `registry push --tls` use it on this machine too".to_owned();
        }
        RegistryError::Refused {
            host: self.host().to_owned(),
            what: what.to_owned(),
            status: answer.status.as_u16(),
            detail,
        }
    }
}

/// Where the next page of a list is, by the header `link`.
fn next_page(headers: &HeaderMap) -> Option<&str> {
    let link = headers.get(header::LINK)?.to_str().ok()?;
    let (address, parameters) = link.strip_prefix('<')?.split_once('>')?;
    parameters.replace('"', "").contains("rel=next").then_some(address)
}

/// The tag that lists what is attached to `subject` where the API for that is missing.
pub(crate) fn fallback_tag(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}

/// Whether a server says that a request without TLS came where it expects TLS, as those in Go and nginx do.
fn speaks_tls(answer: &Answer) -> bool {
    answer.status == StatusCode::BAD_REQUEST && String::from_utf8_lossy(&answer.body).contains("HTTPS")
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("a media type is the value of a header")
}

/// A value that is not shown in logs.
fn secret(text: &str) -> HeaderValue {
    let mut value = HeaderValue::from_str(text).expect("base64 and a visible token are the value of a header");
    value.set_sensitive(true);
    value
}
