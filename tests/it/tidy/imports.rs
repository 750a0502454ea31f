//! Finds import cycles between the files of a module, from their `use` declarations and the paths in their code.
//!
//! This is a small reader of Rust, not a compiler. It knows modules, `use` trees, and paths that start with `crate`, `self`
//! or `super`; it follows re-exports to the file that defines an item, except through globs. Unit tests are left out.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    path::{Path, PathBuf},
};

/// Import cycles among a module's files, such as `src/a/b.rs → src/a/c.rs → src/a/b.rs`. `file` is the module's root file.
pub(super) fn cycles(repository: &Path, file: &str) -> Vec<String> {
    let edges = Tree::read(repository.join(file)).edges();
    let mut seen = BTreeSet::new();
    let cycles = edges.keys().filter_map(|file| shortest_cycle(&edges, file));
    let distinct = cycles.filter(|cycle| seen.insert(cycle.iter().copied().collect::<BTreeSet<_>>()));
    distinct
        .map(|cycle| {
            let files = cycle.iter().chain(cycle.first());
            let names = files.map(|file| file.strip_prefix(repository).unwrap().display().to_string());
            names.collect::<Vec<_>>().join(" → ")
        })
        .collect()
}

/// Each file with the modules of the crate's root that it names.
pub(super) fn root_modules(repository: &Path) -> BTreeSet<(PathBuf, String)> {
    let tree = Tree::read(repository.join("src/lib.rs"));
    let mut found = BTreeSet::new();
    for (at, module) in &tree.modules {
        let imported = module.imports.iter().map(|import| &import.path);
        for names in imported.chain(&module.mentions) {
            if let Some(name) = root_module(at, names) {
                found.insert((module.file.clone(), name.clone()));
            }
        }
    }
    found
}

/// The module of the crate's root that a path in the module `at` starts with.
fn root_module<'a>(at: &[String], names: &'a [String]) -> Option<&'a String> {
    let ups = names.iter().take_while(|name| *name == "super").count();
    match names.first()?.as_str() {
        "crate" => names.get(1),
        "super" if ups + 1 == at.len() => names.get(ups),
        _ => None,
    }
}

/// The imported files of each file.
type Edges = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

/// The files of the shortest cycle through `start`.
fn shortest_cycle<'a>(edges: &'a Edges, start: &'a PathBuf) -> Option<Vec<&'a PathBuf>> {
    let mut came_from = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for next in edges.get(file).into_iter().flatten() {
            if next == start {
                let mut cycle = vec![file];
                while let Some(&previous) = cycle.last().and_then(|last| came_from.get(*last)) {
                    cycle.push(previous);
                }
                cycle.reverse();
                return Some(cycle);
            }
            if !came_from.contains_key(next) {
                came_from.insert(next, file);
                queue.push_back(next);
            }
        }
    }
    None
}

/// A path such as `["crate", "store", "sqlite"]`.
type Names = Vec<String>;

/// A module and all modules below it, by path. A file that two modules include with `#[path]` is there twice.
struct Tree {
    modules: BTreeMap<Names, Module>,
}

#[derive(Default)]
struct Module {
    file: PathBuf,
    imports: Vec<Import>,
    /// Paths outside of `use` declarations.
    mentions: Vec<Names>,
}

struct Import {
    /// The name that the module gives it; `*` for a glob.
    name: String,
    path: Names,
}

impl Tree {
    fn read(file: PathBuf) -> Self {
        let mut tree = Self {
            modules: BTreeMap::new(),
        };
        let mut path = vec!["crate".to_owned()];
        if !is_crate_root(&file) {
            path.extend(file.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
        tree.read_file(path, file);
        tree
    }

    fn read_file(&mut self, path: Names, file: PathBuf) {
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let folder = if is_crate_root(&file) {
            file.with_file_name("")
        } else {
            file.with_extension("")
        };
        let mut tokens = tokens(&text);
        self.read_module(path, &file, &folder, &mut tokens);
    }

    /// Reads up to the brace that closes the module, or to the end of the file. `folder` has the files of its submodules.
    fn read_module(&mut self, path: Names, file: &Path, folder: &Path, tokens: &mut VecDeque<String>) {
        let mut module = Module {
            file: file.to_owned(),
            ..Module::default()
        };
        let mut depth = 0;
        // Attributes of the next item: `#[cfg(test)]` and `#[path]`.
        let (mut is_test, mut included) = (false, None);
        let mut before = [String::new(), String::new()];
        while let Some(token) = tokens.pop_front() {
            match token.as_str() {
                "#" if starts(tokens, &["[", "cfg", "(", "test", ")"]) => is_test = true,
                "#" if starts(tokens, &["[", "path", "="]) => {
                    included = Some(file.with_file_name(&tokens[3][1..]));
                }
                "mod" => {
                    let name = tokens.pop_front().unwrap();
                    let below = [&path[..], std::slice::from_ref(&name)].concat();
                    let is_file = tokens.pop_front().unwrap() == ";";
                    if is_test {
                        if !is_file {
                            skip_block(tokens);
                        }
                    } else if is_file {
                        let file = included
                            .take()
                            .unwrap_or_else(|| folder.join(format!("{name}.rs")));
                        self.read_file(below, file);
                    } else {
                        self.read_module(below, file, &folder.join(&name), tokens);
                    }
                    is_test = false;
                }
                "use" if is_test => {
                    while tokens.pop_front().is_some_and(|token| token != ";") {}
                    is_test = false;
                }
                // `impl Trait + use<'a>` imports nothing.
                "use" if starts(tokens, &["<"]) => {}
                "use" => read_use(&[], tokens, &mut module.imports),
                // The scope in `pub(in crate::…)`.
                "crate" | "super" if before == ["(", "in"] => {}
                "crate" | "self" | "super" => {
                    let mut mention = vec![token.clone()];
                    while starts(tokens, &["::"]) && tokens.get(1).is_some_and(|name| is_name(name)) {
                        tokens.pop_front();
                        mention.extend(tokens.pop_front());
                    }
                    module.mentions.push(mention);
                }
                "{" => (depth, is_test) = (depth + 1, false),
                ";" => is_test = false,
                "}" if depth == 0 => break,
                "}" => depth -= 1,
                _ => {}
            }
            before = [before[1].clone(), token];
        }
        self.modules.insert(path, module);
    }

    /// A file may use its own submodules, so those imports are not edges.
    fn edges(&self) -> Edges {
        let mut edges = Edges::new();
        for (path, module) in &self.modules {
            let imported = module.imports.iter().map(|import| &import.path);
            for names in imported.chain(&module.mentions) {
                let Some(target) = self.resolve(path, names, 0) else {
                    continue;
                };
                let other = &self.modules[target];
                if other.file != module.file && !target.starts_with(path) {
                    let of_file = edges.entry(module.file.clone()).or_default();
                    of_file.insert(other.file.clone());
                }
            }
        }
        edges
    }

    /// The module that defines the item or module that `names` refers to in the module `at`; `None` outside of this tree.
    fn resolve<'a>(&'a self, at: &'a [String], names: &[String], depth: usize) -> Option<&'a [String]> {
        let (first, rest) = names.split_first()?;
        if depth > 20 {
            return None;
        }
        let rest = rest.iter();
        let mut module = match first.as_str() {
            "crate" => &at[..1],
            "self" => at,
            "super" => at.split_last()?.1,
            name => self.named(at, name, depth)?,
        };
        for name in rest {
            module = match name.as_str() {
                "super" => module.split_last()?.1,
                // If nothing is found, `name` is an item of this module.
                name => match self.named(module, name, depth) {
                    None => break,
                    Some(named) => named,
                },
            };
        }
        self.modules.get_key_value(module).map(|(path, _)| &path[..])
    }

    /// The submodule `name`, or the module that defines what is imported as `name`.
    fn named<'a>(&'a self, module: &'a [String], name: &str, depth: usize) -> Option<&'a [String]> {
        let below = [module, &[name.to_owned()]].concat();
        if let Some((below, _)) = self.modules.get_key_value(&below) {
            return Some(below);
        }
        let mut imports = self.modules.get(module)?.imports.iter();
        let import = imports.find(|import| import.name == name && import.path != [name])?;
        self.resolve(module, &import.path, depth + 1)
    }
}

/// Reads `a::{b, c::d as e}` below `prefix`, up to what follows it.
fn read_use(prefix: &[String], tokens: &mut VecDeque<String>, imports: &mut Vec<Import>) {
    let mut path = prefix.to_vec();
    while let Some(token) = tokens.pop_front() {
        match token.as_str() {
            "::" => continue,
            "{" => {
                while !starts(tokens, &["}"]) {
                    read_use(&path, tokens, imports);
                    if starts(tokens, &[","]) {
                        tokens.pop_front();
                    }
                }
                tokens.pop_front();
                return;
            }
            // `a::{self}` is `a`.
            "self" if !path.is_empty() => {}
            _ => path.push(token),
        }
        if !starts(tokens, &["::"]) {
            break;
        }
    }
    let name = if starts(tokens, &["as"]) {
        tokens.pop_front();
        tokens.pop_front()
    } else {
        path.last().cloned()
    };
    imports.extend(name.map(|name| Import { name, path }));
}

fn skip_block(tokens: &mut VecDeque<String>) {
    let mut depth = 1;
    while depth > 0 {
        match tokens.pop_front().expect("braces are balanced").as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
    }
}

fn is_crate_root(file: &Path) -> bool {
    file.ends_with("main.rs") || file.ends_with("lib.rs")
}

fn starts(tokens: &VecDeque<String>, with: &[&str]) -> bool {
    tokens.len() >= with.len() && tokens.iter().zip(with).all(|(token, with)| token == with)
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Identifiers, `::`, other characters one by one, and string literals without the closing quotation mark. Comments,
/// character literals, raw strings and the quotes of lifetimes are left out.
fn tokens(text: &str) -> VecDeque<String> {
    let mut tokens = VecDeque::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").expect("comments are closed") + 2
        } else if let Some(hashes) = raw_string(rest) {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = rest.find('"').expect("a raw string is quoted") + 1;
            start + rest[start..].find(&end).expect("literals are closed") + end.len()
        } else if first == '"' {
            let length = quoted(rest, '"');
            tokens.push_back(rest[..length - 1].to_owned());
            length
        } else if first == '\'' {
            let is_character = rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\'');
            if is_character { quoted(rest, '\'') } else { 1 }
        } else if is_name(rest) {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            let length = end.unwrap_or(rest.len());
            tokens.push_back(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            tokens.push_back("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                tokens.push_back(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The number of `#` in front of the raw string that `rest` starts with, if it does.
fn raw_string(rest: &str) -> Option<usize> {
    let marks = ["r", "br", "cr"].into_iter().find_map(|prefix| {
        let marks = rest.strip_prefix(prefix)?;
        marks.starts_with(['#', '"']).then_some(marks)
    })?;
    let hashes = marks.len() - marks.trim_start_matches('#').len();
    marks[hashes..].starts_with('"').then_some(hashes)
}

/// The length of the literal that `rest` starts with, including its quotation marks.
fn quoted(rest: &str, mark: char) -> usize {
    let mut escaped = false;
    let end = rest.char_indices().skip(1).find(|&(_, character)| {
        let ends = character == mark && !escaped;
        escaped = character == '\\' && !escaped;
        ends
    });
    end.expect("literals are closed").0 + 1
}

#[test]
fn finds_import_cycles_through_groups_and_reexports() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    // The root and its submodules may use each other.
    write(
        "a.rs",
        "mod b;\nmod c;\nmod d;\npub use c::{self as other, C};\npub struct A;",
    );
    write("a/b.rs", "use super::A;\npub struct B;");
    write("a/c.rs", "use crate::{a::{A, b::B}, z::Z};\npub struct C;");
    write("a/d.rs", "mod e;\nuse super::other::C;");
    write("a/d/e.rs", "// use super::super::c;\nuse crate::a::C;");
    let found = || cycles(folder.path(), "a.rs");
    assert_eq!(found(), Vec::<String>::new());

    let (short, long) = ("a/b.rs → a/c.rs → a/b.rs", "a/b.rs → a/d.rs → a/c.rs → a/b.rs");
    for (import, cycle) in [
        ("use super::{A, C};", short),
        ("use crate::a::{d::{self}};", long),
        ("use {std::fmt, super::d as last};", long),
        ("fn f() { super::c::C::new('{', \"}\"); }", short),
        ("#[cfg(test)]\nfn g() {}\nuse super::c::*;", short),
    ] {
        write("a/b.rs", import);
        assert_eq!(found(), [cycle], "{import}");
    }

    write(
        "a/b.rs",
        "#[cfg(test)]\nmod tests {\n    use super::super::c::C;\n}",
    );
    assert_eq!(found(), Vec::<String>::new(), "tests do not count");
}
