//! The parsers of the values of options.

use std::path::PathBuf;

/// Parses a percentage above 0 and below 100.
pub(crate) fn percent(text: &str) -> Result<f64, String> {
    let percent = text.trim_end_matches('%').trim().parse::<f64>().map_err(|_| "expected a percentage such as 2")?;
    if percent > 0.0 && percent < 100.0 {
        Ok(percent)
    } else {
        Err("expected a percentage above 0 and below 100".to_owned())
    }
}

/// Numbers of processors, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CpuList(pub(crate) Vec<u32>);

/// The highest number of a processor, as the kernel's sets have it.
const CPU_MAX: u32 = 1_023;

pub(super) fn cpu_list(text: &str) -> Result<CpuList, String> {
    let mut cpus = std::collections::BTreeSet::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<u32>().ok().filter(|cpu| *cpu <= CPU_MAX);
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => cpus.extend(first..=last),
            _ => return Err("expected numbers of processors such as 2,4-7".to_owned()),
        }
    }
    Ok(CpuList(cpus.into_iter().collect()))
}

/// Adds the values of a parameter that was given several times to the first one, each value once.
pub(crate) fn merge_axes(parameters: &mut Vec<(String, Vec<String>)>) {
    let mut merged: Vec<(String, Vec<String>)> = Vec::new();
    for (name, values) in parameters.drain(..) {
        match merged.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => values.into_iter().for_each(|value| {
                if !known.contains(&value) {
                    known.push(value);
                }
            }),
            None => merged.push((name, values)),
        }
    }
    *parameters = merged;
}

pub(crate) fn key_values(text: &str) -> Result<(String, Vec<String>), String> {
    let (key, values) = text.split_once('=').ok_or("expected KEY=VALUE[,VALUE…]")?;
    if key.is_empty() {
        return Err("expected KEY=VALUE[,VALUE…]: the key is missing".to_owned());
    }
    Ok((key.to_owned(), split_values(values)))
}

pub(super) fn named_build(text: &str) -> Result<(String, Vec<PathBuf>), String> {
    let (name, files) = text.split_once('=').ok_or("expected NAME=FILE[,FILE…]")?;
    let files: Vec<PathBuf> = split_values(files).into_iter().map(PathBuf::from).collect();
    if name.is_empty() || files.iter().any(|file| file.as_os_str().is_empty()) {
        return Err("expected NAME=FILE[,FILE…]: a name or a file is missing".to_owned());
    }
    Ok((name.to_owned(), files))
}

/// Splits at the commas that are not escaped with a backslash.
fn split_values(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ',' => values.push(String::new()),
            '\\' if characters.peek() == Some(&',') => {
                values.last_mut().expect("never empty").extend(characters.next())
            }
            other => values.last_mut().expect("never empty").push(other),
        }
    }
    values
}

pub(crate) fn duration_ns(text: &str) -> Result<u64, String> {
    let duration: jiff::SignedDuration =
        text.parse().map_err(|_| "expected a duration such as 500ms, 2s, 1m".to_owned())?;
    u64::try_from(duration.as_nanos()).ok().filter(|ns| *ns > 0).ok_or_else(|| "expected a duration above 0".to_owned())
}

pub(super) fn bytes(text: &str) -> Result<u64, String> {
    match bench_model::Value::parse(bench_model::Kind::Integer, text) {
        Ok(bench_model::Value::Integer(bytes @ 1..)) => Ok(bytes.cast_unsigned()),
        _ => Err("expected a size such as 1048576, 512Mi, 1Gi".to_owned()),
    }
}

pub(super) fn directory_grant(text: &str) -> Result<bench_drivers::DirectoryGrant, String> {
    let (host, guest) = text.split_once("::").ok_or("expected HOST::GUEST[:ro]")?;
    let (guest, read_only) = guest.strip_suffix(":ro").map_or((guest, false), |guest| (guest, true));
    if host.is_empty() || guest.is_empty() {
        return Err("expected HOST::GUEST[:ro]".to_owned());
    }
    Ok(bench_drivers::DirectoryGrant { host: host.into(), guest: guest.to_owned(), read_only })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_split_at_commas_that_are_not_escaped() {
        let check = |text: &str, expect: &[&str]| assert_eq!(split_values(text), expect, "{text}");
        check("64", &["64"]);
        check("64,4Ki", &["64", "4Ki"]);
        check(r"a\,b,c\d", &["a,b", r"c\d"]);
        check("", &[""]);
        assert!(key_values("=1").is_err() && key_values("n").is_err());
    }

    #[test]
    fn processors_are_numbers_and_ranges() {
        assert_eq!(cpu_list("2,4-6,5"), Ok(CpuList(vec![2, 4, 5, 6])));
        for text in ["", "a", "3-1", "1,", "5000", "-1"] {
            assert!(cpu_list(text).is_err(), "{text}");
        }
    }

    #[test]
    fn parameter_given_again_adds_values() {
        let mut parameters: Vec<_> = ["n=1,2", "m=a", "n=2,3"].map(|text| key_values(text).unwrap()).into();
        merge_axes(&mut parameters);
        let expect = [("n", vec!["1", "2", "3"]), ("m", vec!["a"])];
        let texts = |(name, values): &(String, Vec<String>)| (name.clone(), values.clone());
        let expect = expect.map(|(name, values)| (name.to_owned(), values.into_iter().map(str::to_owned).collect()));
        assert_eq!(parameters.iter().map(texts).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn durations_and_sizes_have_units() {
        assert_eq!(duration_ns("1.5s"), Ok(1_500_000_000));
        assert_eq!(duration_ns("200ms"), Ok(200_000_000));
        assert!(duration_ns("0s").is_err() && duration_ns("-1s").is_err() && duration_ns("5").is_err());
        assert_eq!(bytes("512Mi"), Ok(512 << 20));
        assert!(bytes("0").is_err() && bytes("lots").is_err());
    }

    #[test]
    fn percentage_is_above_0_and_below_100() {
        assert_eq!((percent("2"), percent("0.5 %")), (Ok(2.0), Ok(0.5)));
        assert!(percent("0").is_err() && percent("-1").is_err() && percent("100").is_err() && percent("NaN").is_err());
    }

    #[test]
    fn directory_grant_names_host_and_guest_folder() {
        let grant = directory_grant("/a::/b:ro").unwrap();
        assert_eq!((grant.guest.as_str(), grant.read_only), ("/b", true));
        assert!(directory_grant("/a:/b").is_err() && directory_grant("::/b").is_err());
    }
}
