//! The model of a mine, as its `/service/model` writes it in XML: classes with attributes and references, to which those of their parents are
//! added.

use hashbrown::HashMap;

/// What every class has in a mine, without the model saying so: a class for all objects, and its attribute.
const ROOT: &str = "InterMineObject";
const ID: &str = "id";

/// A class with all of its members, own ones first.
#[derive(Debug, PartialEq)]
pub(crate) struct ClassSpec {
    pub(crate) name: String,
    pub(crate) attributes: Vec<String>,
    /// Names, and the numbers of the classes that they lead to.
    pub(crate) references: Vec<(String, usize)>,
}

/// A class as it is written.
#[derive(Default)]
struct Declared<'a> {
    name: &'a str,
    parents: Vec<&'a str>,
    attributes: Vec<&'a str>,
    references: Vec<(&'a str, &'a str)>,
}

/// The classes of a model in the order of its text, and last that of all objects, if it is not among them. There is at least one.
pub(crate) fn classes(text: &str) -> Result<Vec<ClassSpec>, String> {
    let mut declared = declared(text)?;
    if declared.is_empty() {
        return Err("it has no classes; give what a mine's /service/model answers".to_owned());
    }
    if declared.iter().all(|class| class.name != ROOT) {
        declared.push(Declared { name: ROOT, ..Declared::default() });
    }
    let mut index = HashMap::with_capacity(declared.len());
    for (number, class) in declared.iter().enumerate() {
        if index.insert(class.name, number).is_some() {
            return Err(format!("it has two classes `{}`", class.name));
        }
    }
    (0..declared.len()).map(|number| spec(number, &declared, &index)).collect()
}

/// The class with the members of all its ancestors, the nearest ones first. One that is there twice is that of the nearest.
fn spec(number: usize, declared: &[Declared<'_>], index: &HashMap<&str, usize>) -> Result<ClassSpec, String> {
    let name = declared[number].name;
    let found = |what: &str, class: &str| {
        index.get(class).copied().ok_or_else(|| format!("class `{name}`: {what} `{class}`, which is not there"))
    };
    let mut lineage = vec![number];
    let mut next = 0;
    while let Some(class) = lineage.get(next).map(|class| &declared[*class]) {
        next += 1;
        for parent in &class.parents {
            let parent = found("it extends", parent)?;
            if !lineage.contains(&parent) {
                lineage.push(parent);
            }
        }
    }
    let mut spec = ClassSpec { name: name.to_owned(), attributes: vec![ID.to_owned()], references: Vec::new() };
    for class in lineage.into_iter().map(|class| &declared[class]) {
        for attribute in &class.attributes {
            if !spec.attributes.iter().any(|known| known == attribute) {
                spec.attributes.push((*attribute).to_owned());
            }
        }
        for (reference, to) in &class.references {
            if !spec.references.iter().any(|(known, _)| known == reference) {
                spec.references.push(((*reference).to_owned(), found("it refers to", to)?));
            }
        }
    }
    Ok(spec)
}

fn declared(text: &str) -> Result<Vec<Declared<'_>>, String> {
    let mut classes: Vec<Declared<'_>> = Vec::new();
    let mut is_open = false;
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('<') {
        if let Some(comment) = behind.strip_prefix("!--") {
            rest = comment.split_once("-->").ok_or("a comment does not end")?.1;
            continue;
        }
        let (tag, after) = behind.split_once('>').ok_or("a tag does not end")?;
        rest = after;
        let (element, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
        let needed = |name: &str| value(attributes, name).ok_or_else(|| format!("`<{tag}>` has no `{name}`"));
        match element {
            "class" => {
                let parents = value(attributes, "extends").unwrap_or_default().split_whitespace().map(simple);
                let parents = parents.filter(|parent| ![ROOT, "Object"].contains(parent)).collect();
                classes.push(Declared { name: simple(needed("name")?), parents, ..Declared::default() });
                is_open = !tag.ends_with('/');
            }
            "/class" => is_open = false,
            "attribute" | "reference" | "collection" if is_open => {
                let name = needed("name")?;
                let Some(class) = classes.last_mut() else { continue };
                if element == "attribute" {
                    class.attributes.push(name);
                } else {
                    class.references.push((name, simple(needed("referenced-type")?)));
                }
            }
            _ => {}
        }
    }
    Ok(classes)
}

/// The value of an attribute of XML.
fn value<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes;
    loop {
        let (key, behind) = rest.split_once('=')?;
        let behind = behind.trim_start();
        let quote = behind.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, after) = behind[1..].split_once(quote)?;
        if key.trim() == name {
            return Some(value);
        }
        rest = after;
    }
}

/// A class without its package, which older models have.
fn simple(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = r#"<?xml version="1.0"?>
        <!-- <class name="Commented"/> -->
        <model name="genomic" package="org.intermine.model.bio">
        <class name="Gene" extends="Feature" is-interface="true">
            <attribute name="symbol" type="java.lang.String"/>
            <attribute name='name' type='java.lang.String'/>
            <reference name="organism" referenced-type="Organism" reverse-reference="genes"/>
        </class>
        <class name="Feature" extends="org.intermine.model.Entity java.lang.Object" is-interface="true">
            <attribute name="length" type="java.lang.Integer"/>
            <attribute name="name" type="java.lang.String"/>
            <collection name="parents" referenced-type="Feature"/>
        </class>
        <class name="org.intermine.model.Entity" is-interface="true"><attribute name="key" type="x"/></class>
        <class name="Organism" is-interface="true"><reference name="all" referenced-type="InterMineObject"/></class>
        <class name="Bare" is-interface="true"/>
        </model>"#;

    #[track_caller]
    fn check(class: &ClassSpec, name: &str, attributes: &[&str], references: &[(&str, usize)]) {
        assert_eq!(class.name, name);
        assert_eq!(class.attributes, attributes);
        let found: Vec<_> = class.references.iter().map(|(name, to)| (name.as_str(), *to)).collect();
        assert_eq!(found, references);
    }

    #[test]
    fn classes_have_the_members_of_their_ancestors() {
        let classes = classes(MODEL).unwrap();
        assert_eq!(classes.len(), 6);
        check(&classes[0], "Gene", &["id", "symbol", "name", "length", "key"], &[("organism", 3), ("parents", 1)]);
        check(&classes[1], "Feature", &["id", "length", "name", "key"], &[("parents", 1)]);
        check(&classes[3], "Organism", &["id"], &[("all", 5)]);
        check(&classes[4], "Bare", &["id"], &[]);
        check(&classes[5], "InterMineObject", &["id"], &[]);
    }

    #[test]
    fn models_that_are_not_whole_are_refused() {
        let check = |text: &str, expect: &str| {
            let reason = classes(text).unwrap_err();
            assert!(reason.contains(expect), "{text}: {reason}");
        };
        check("", "it has no classes");
        check("{\"model\":{}}", "it has no classes");
        check("<class name=\"A\"", "a tag does not end");
        check("<!-- <class", "a comment does not end");
        check("<class extends=\"A\">", "`<class extends=\"A\">` has no `name`");
        check("<class name=\"A\" extends=\"B\"/>", "class `A`: it extends `B`, which is not there");
        let dangling = "<class name=\"A\"><reference name=\"b\" referenced-type=\"B\"/>";
        check(dangling, "class `A`: it refers to `B`, which is not there");
        check("<class name=\"A\"/><class name=\"A\"/>", "it has two classes `A`");
        check("<class name=\"A\"><attribute type=\"x\"/>", "has no `name`");
    }
}
