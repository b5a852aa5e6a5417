//! The declarations of the boundary, from which both languages are generated.

/// A type that exists in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// No value, or an untyped one behind a pointer.
    Void,
    /// A byte.
    U8,
    /// A byte of a text: `char` in C, `u8` in Rust.
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
    /// The name, the same in both languages.
    pub name: String,
    /// The type.
    pub ty: Type,
    /// The comment; may be empty.
    pub doc: String,
}

/// The parameters and the result of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The parameters, in order.
    pub params: Vec<Field>,
    /// The type of the result.
    pub result: Type,
}

/// The kind of a member of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Data.
    Data(Type),
    /// A function.
    Function {
        /// The parameters and the result.
        signature: Signature,
        /// The name of its type in Rust, if it has one.
        alias: Option<String>,
        /// Whether it may be NULL.
        optional: bool,
    },
}

/// A member of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name, the same in both languages.
    pub name: String,
    /// Whether it is data or a function.
    pub shape: Shape,
    /// The comment.
    pub doc: String,
}

/// A named number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant {
    /// The name in Rust; C adds the prefix `BHP_`.
    pub name: String,
    /// The case in WIT, if it has one.
    pub case: Option<String>,
    /// The number.
    pub value: u32,
    /// The comment; may be empty.
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
        /// `package/interface.type`, if they are the cases of one.
        wit: Option<String>,
        /// The numbers, in order.
        values: Vec<Constant>,
    },
    /// A handle.
    Opaque {
        /// The C name.
        c: String,
        /// The Rust name.
        rust: String,
        /// The comment: who owns it.
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
        /// The fields, in order.
        fields: Vec<Field>,
        /// Whether the Rust type has a `Default`, of zeros.
        zero: bool,
    },
    /// A table of functions.
    Table {
        /// The C name.
        c: String,
        /// The Rust name.
        rust: String,
        /// The comment.
        doc: String,
        /// The members of the first version.
        members: Vec<Member>,
        /// The members that were added later, and the Rust name of the table with them.
        grown: Option<(String, Vec<Member>)>,
    },
    /// Text that is written by hand for each language.
    Verbatim {
        /// The text for the header.
        c: String,
        /// The text for the Rust module.
        rust: String,
    },
}

/// A part of the header, and one Rust module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The Rust module's name.
    pub module: String,
    /// The comment on the part.
    pub doc: String,
    /// The constant that requests the table, its value, and the Rust name of the table.
    pub extension: Option<(String, String, String)>,
    /// The declarations, in order.
    pub items: Vec<Item>,
}

impl Type {
    /// Parses a type in the syntax of Rust.
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

    /// The name of the declaration, without pointers.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Const(inner) | Self::Mut(inner) => inner.name(),
            _ => None,
        }
    }

    /// The type in the syntax of Rust.
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
    /// A field without a comment.
    pub fn new(name: impl Into<String>, ty: Type) -> Self {
        Self { name: name.into(), ty, doc: String::new() }
    }

    /// Parses `name: Type`.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, ty) = text.split_once(':')?;
        Some(Self::new(name.trim(), Type::parse(ty)))
    }
}

impl Signature {
    /// Parses `(name: Type, …) -> Type`.
    pub fn parse(text: &str) -> Option<Self> {
        let (params, result) = text.trim().strip_prefix('(')?.split_once(')')?;
        let params = params.split(',').filter(|param| !param.trim().is_empty());
        let params = params.map(Field::parse).collect::<Option<_>>()?;
        let result = result.trim().strip_prefix("->").map_or(Type::Void, Type::parse);
        Some(Self { params, result })
    }
}
