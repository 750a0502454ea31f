//! Sample receivers: the files in `docs/receivers`, which the tests run.

/// The sample receivers of one language.
#[derive(Debug, Clone, Copy)]
pub struct Language {
    /// Value of the query parameter `language`.
    pub key: &'static str,
    pub name: &'static str,
    pub library: Option<Library>,
    pub plain: Receiver,
}

#[derive(Debug, Clone, Copy)]
pub struct Library {
    pub install: &'static str,
    pub receiver: Receiver,
}

#[derive(Debug, Clone, Copy)]
pub struct Receiver {
    pub file: &'static str,
    pub code: &'static str,
}

macro_rules! receiver {
    ($file:literal) => {
        Receiver {
            file: $file,
            code: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/receivers/", $file)),
        }
    };
}

impl Language {
    pub const ALL: [Self; 9] = [
        Self {
            key: "python",
            name: "Python",
            library: Some(Library {
                install: "pip install standardwebhooks",
                receiver: receiver!("python/library.py"),
            }),
            plain: receiver!("python/plain.py"),
        },
        Self {
            key: "javascript",
            name: "JavaScript",
            library: Some(Library {
                install: "npm install standardwebhooks",
                receiver: receiver!("javascript/library.mjs"),
            }),
            plain: receiver!("javascript/plain.mjs"),
        },
        Self {
            key: "go",
            name: "Go",
            library: Some(Library {
                install: "go get github.com/standard-webhooks/standard-webhooks/libraries/go",
                receiver: receiver!("go/library.go"),
            }),
            plain: receiver!("go/plain.go"),
        },
        Self {
            key: "ruby",
            name: "Ruby",
            library: Some(Library {
                install: "gem install webrick standardwebhooks",
                receiver: receiver!("ruby/library.rb"),
            }),
            plain: receiver!("ruby/plain.rb"),
        },
        Self {
            key: "php",
            name: "PHP",
            library: Some(Library {
                install: "composer require standard-webhooks/standard-webhooks",
                receiver: receiver!("php/library.php"),
            }),
            plain: receiver!("php/plain.php"),
        },
        Self {
            key: "java",
            name: "Java",
            library: Some(Library {
                install: "com.standardwebhooks:standardwebhooks",
                receiver: receiver!("java/Library.java"),
            }),
            plain: receiver!("java/Plain.java"),
        },
        Self {
            key: "csharp",
            name: "C#",
            library: None,
            plain: receiver!("csharp/Plain.cs"),
        },
        Self {
            key: "rust",
            name: "Rust",
            library: Some(Library {
                install: "cargo add standardwebhooks",
                receiver: receiver!("rust/library.rs"),
            }),
            plain: receiver!("rust/plain.rs"),
        },
        Self {
            key: "shell",
            name: "Shell",
            library: None,
            plain: receiver!("shell/plain.sh"),
        },
    ];

    /// Returns the language with this key. Defaults to the first one.
    pub fn from_key(key: &str) -> Self {
        let mut languages = Self::ALL.into_iter();
        languages
            .find(|language| language.key == key)
            .unwrap_or(Self::ALL[0])
    }
}
