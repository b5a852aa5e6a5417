//! Declarations of the boundary, as both languages show them.

/// A type that both languages have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// No value, or an untyped one behind a pointer.
    Void,
    /// A byte.
    U8,
    /// A byte of a text, which Rust takes for any other.
    Char,
    /// 32 bits without a sign.
    U32,
    /// 64 bits without a sign.
    U64,
    /// 32 bits with a sign.
    I32,
    /// A length.
    Usize,
    /// Another declaration, by its Rust name.
    Named(String),
    /// A pointer through which nothing is written.
    Const(Box<Type>),
    /// A pointer through which something is written.
    Mut(Box<Type>),
}

/// A parameter of a function, or a member of plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// In both languages.
    pub name: String,
    /// What it holds.
    pub ty: Type,
    /// What it is; empty where the name says it.
    pub doc: String,
}

/// The shape of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// In order.
    pub params: Vec<Field>,
    /// What it returns.
    pub result: Type,
}

/// What a member of a table is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Data.
    Data(Type),
    /// A function; its type's Rust name, where it has one, and whether it may be absent.
    Function {
        /// Its parameters and result.
        signature: Signature,
        /// The name of its type in Rust.
        alias: Option<String>,
        /// Whether it may be NULL.
        optional: bool,
    },
}

/// A member of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// In both languages.
    pub name: String,
    /// Its form.
    pub shape: Shape,
    /// What it does.
    pub doc: String,
}

/// A named number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant {
    /// In Rust; C puts `BHP_` before it.
    pub name: String,
    /// The case of WIT that it stands for.
    pub case: Option<String>,
    /// The number.
    pub value: u32,
    /// What it says; empty where the name says it.
    pub doc: String,
}

/// A declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Named numbers.
    Constants {
        /// The comment on all of them.
        doc: String,
        /// The Rust type.
        ty: String,
        /// `package/interface.type`, where they stand for the cases of one.
        wit: Option<String>,
        /// In order.
        values: Vec<Constant>,
    },
    /// A handle.
    Opaque {
        /// The C name.
        c: String,
        /// The Rust name.
        rust: String,
        /// Who owns it.
        doc: String,
    },
    /// Plain data.
    Struct {
        /// The C name.
        c: String,
        /// The Rust name.
        rust: String,
        /// The comment.
        doc: String,
        /// In order.
        fields: Vec<Field>,
        /// Whether Rust can make one of zeros.
        zero: bool,
    },
    /// A table of functions.
    Table {
        /// The C name.
        c: String,
        /// The Rust name.
        rust: String,
        /// What it offers.
        doc: String,
        /// Those that were there from the beginning.
        members: Vec<Member>,
        /// Those that came later, and the Rust name of the table that has them.
        grown: Option<(String, Vec<Member>)>,
    },
    /// By hand, in each language.
    Verbatim {
        /// For the header.
        c: String,
        /// For the Rust module.
        rust: String,
    },
}

/// A part of the header, and one Rust module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The Rust module's name.
    pub module: String,
    /// What the part is.
    pub doc: String,
    /// The constant, its value, and the Rust name of the table that it asks for.
    pub extension: Option<(String, String, String)>,
    /// In order.
    pub items: Vec<Item>,
}

impl Type {
    /// Reads a type as Rust writes it.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        match text.split_once(' ') {
            Some(("*const", inner)) => Self::Const(Box::new(Self::parse(inner))),
            Some(("*mut", inner)) => Self::Mut(Box::new(Self::parse(inner))),
            _ => match text {
                "c_void" => Self::Void,
                "u8" => Self::U8,
                "c_char" => Self::Char,
                "u32" => Self::U32,
                "u64" => Self::U64,
                "i32" => Self::I32,
                "usize" => Self::Usize,
                name => Self::Named(name.to_owned()),
            },
        }
    }

    /// The declaration that it names, behind whatever pointers.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Const(inner) | Self::Mut(inner) => inner.name(),
            _ => None,
        }
    }

    /// As Rust writes it.
    pub fn rust(&self) -> String {
        match self {
            Self::Void => "c_void".to_owned(),
            Self::U8 | Self::Char => "u8".to_owned(),
            Self::U32 => "u32".to_owned(),
            Self::U64 => "u64".to_owned(),
            Self::I32 => "i32".to_owned(),
            Self::Usize => "usize".to_owned(),
            Self::Named(name) => name.clone(),
            Self::Const(inner) => format!("*const {}", inner.rust()),
            Self::Mut(inner) => format!("*mut {}", inner.rust()),
        }
    }
}

impl Field {
    /// Without a text.
    pub fn new(name: impl Into<String>, ty: Type) -> Self {
        Self { name: name.into(), ty, doc: String::new() }
    }

    /// Reads `name: Type`.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, ty) = text.split_once(':')?;
        Some(Self::new(name.trim(), Type::parse(ty)))
    }
}

impl Signature {
    /// Reads `(name: Type, …) -> Type`.
    pub fn parse(text: &str) -> Option<Self> {
        let (params, result) = text.trim().strip_prefix('(')?.split_once(')')?;
        let params = params.split(',').filter(|param| !param.trim().is_empty());
        let params = params.map(Field::parse).collect::<Option<_>>()?;
        let result = result.trim().strip_prefix("->").map_or(Type::Void, Type::parse);
        Some(Self { params, result })
    }
}
