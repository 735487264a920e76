//! Which run or model on which server: addresses as people copy them from a browser, and URIs as MLflow writes them.

/// What to read on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A run.
    Run(String),
    /// A version of a registered model.
    Version {
        /// The model.
        name: String,
        /// The version.
        version: String,
    },
    /// Whatever version an alias leads to at that moment.
    Alias {
        /// The model.
        name: String,
        /// The alias.
        alias: String,
    },
}

impl std::fmt::Display for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Run(id) => write!(formatter, "runs:/{id}"),
            Self::Version { name, version } => write!(formatter, "models:/{name}/{version}"),
            Self::Alias { name, alias } => write!(formatter, "models:/{name}@{alias}"),
        }
    }
}

/// A server, and perhaps what to read there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `http://host:port`, perhaps with a path; none for a URI that names no server.
    pub server: Option<String>,
    /// What to read.
    pub target: Option<Target>,
}

/// A text that names nothing on a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// A model without version or alias.
    #[error("'{}' names no version: NAME@ALIAS or NAME/VERSION is expected", crate::sanitize::sanitize(.0))]
    Model(String),
    /// A run's identifier that is none.
    #[error("'{}' is no identifier of a run", crate::sanitize::sanitize(.0))]
    Run(String),
}

impl Address {
    /// Reads an address; none when it is neither an address of a server nor a URI of MLflow.
    ///
    /// # Errors
    /// When it is, but names nothing.
    pub fn parse(text: &str) -> Result<Option<Self>, TargetError> {
        if let Some(run) = text.strip_prefix("runs:/") {
            return Ok(Some(Self { server: None, target: Some(Target::run(run)?) }));
        }
        if let Some(model) = text.strip_prefix("models:/") {
            return Ok(Some(Self { server: None, target: Some(Target::model(model)?) }));
        }
        if !text.starts_with("http://") && !text.starts_with("https://") {
            return Ok(None);
        }
        let Some((server, page)) = text.split_once('#') else {
            return Ok(Some(Self { server: Some(text.trim_end_matches('/').to_owned()), target: None }));
        };
        let target = target_of_page(page)?;
        Ok(Some(Self { server: Some(server.trim_end_matches('/').to_owned()), target }))
    }
}

/// What a page of MLflow's own interface shows: `/experiments/1/runs/ID`, `/models/NAME/versions/2`.
fn target_of_page(page: &str) -> Result<Option<Target>, TargetError> {
    let page = page.split('?').next().unwrap_or(page);
    let parts: Vec<&str> = page.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["experiments", _, "runs", run, ..] => Target::run(run).map(Some),
        ["models", name, "versions", version, ..] => {
            Ok(Some(Target::Version { name: (*name).to_owned(), version: (*version).to_owned() }))
        }
        _ => Ok(None),
    }
}

impl Target {
    /// A run by its identifier.
    ///
    /// # Errors
    /// When the text has other characters than identifiers have.
    pub fn run(text: &str) -> Result<Self, TargetError> {
        let id = text.split('/').next().unwrap_or_default();
        let is_id =
            !id.is_empty() && id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if is_id { Ok(Self::Run(id.to_owned())) } else { Err(TargetError::Run(text.to_owned())) }
    }

    /// A registered model, `NAME@ALIAS` or `NAME/VERSION`.
    ///
    /// # Errors
    /// When neither stands there.
    pub fn model(text: &str) -> Result<Self, TargetError> {
        let wrong = || TargetError::Model(text.to_owned());
        let is_number = |version: &str| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
        let target = match (text.rsplit_once('@'), text.rsplit_once('/')) {
            (Some((name, alias)), _) => Self::Alias { name: name.to_owned(), alias: alias.to_owned() },
            (None, Some((name, version))) if is_number(version) => {
                Self::Version { name: name.to_owned(), version: version.to_owned() }
            }
            _ => return Err(wrong()),
        };
        match &target {
            Self::Alias { name, alias } if name.is_empty() || alias.is_empty() => Err(wrong()),
            Self::Version { name, .. } if name.is_empty() => Err(wrong()),
            _ => Ok(target),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_copy_them() {
        let parse = |text: &str| Address::parse(text).unwrap();
        let run = Some(Target::Run("abc123".into()));
        let browser = parse("http://127.0.0.1:5000/#/experiments/1/runs/abc123/artifacts").unwrap();
        assert_eq!((browser.server.as_deref(), browser.target), (Some("http://127.0.0.1:5000"), run.clone()));
        assert_eq!(parse("runs:/abc123/model").unwrap().target, run);
        let alias = Some(Target::Alias { name: "iris".into(), alias: "verified".into() });
        assert_eq!(parse("models:/iris@verified").unwrap().target, alias);
        let version = Some(Target::Version { name: "iris".into(), version: "2".into() });
        assert_eq!(parse("https://h/p/#/models/iris/versions/2").unwrap().target, version);
        assert_eq!(parse("https://h/p/").unwrap().server.as_deref(), Some("https://h/p"));
        assert_eq!(parse("./mlruns"), None);
        assert!(Address::parse("models:/iris").is_err() && Address::parse("models:/@x").is_err());
        assert!(Address::parse("runs:/").is_err() && Address::parse("runs:/a b").is_err());
    }
}
