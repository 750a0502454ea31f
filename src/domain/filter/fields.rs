//! Reads the fields of a JSON document that a filter needs, in one pass.

use std::{collections::BTreeMap, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::path::FieldPath;

/// The paths that a filter needs, as a tree, so that a document is read once.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Position of the value in [`Found`].
    slot: Option<usize>,
    children: BTreeMap<String, Wanted>,
}

/// The values at the wanted paths: JSON text, or `None` if the document has no such field.
pub(super) type Found<'a> = Vec<Option<&'a RawValue>>;

impl Wanted {
    /// Adds a path, if it is new, and returns the position of its value.
    pub(super) fn add(&mut self, path: &FieldPath, next_slot: &mut usize) -> usize {
        let mut node = self;
        for segment in path.segments() {
            node = node.children.entry(segment.to_owned()).or_default();
        }
        *node.slot.get_or_insert_with(|| {
            *next_slot += 1;
            *next_slot - 1
        })
    }

    /// Returns the values in a document, which must be valid JSON. Of repeated field names, the last one counts.
    pub(super) fn find<'a>(&self, document: &'a RawValue, slots: usize) -> Found<'a> {
        let mut found = vec![None; slots];
        self.read(document, &mut found);
        found
    }

    fn read<'a>(&self, value: &'a RawValue, found: &mut Found<'a>) {
        self.forget(found);
        if let Some(slot) = self.slot {
            found[slot] = Some(value);
        }
        if self.children.is_empty() {
            return;
        }
        let visitor = Children { wanted: self, found };
        let mut json = serde_json::Deserializer::from_str(value.get());
        // The document was valid when it was published, so this does not fail.
        let _ = match value.get().as_bytes().first() {
            Some(b'{') => json.deserialize_map(visitor),
            Some(b'[') => json.deserialize_seq(visitor),
            _ => Ok(()),
        };
    }

    /// Removes what an earlier field with the same name contained.
    fn forget(&self, found: &mut Found<'_>) {
        if let Some(slot) = self.slot {
            found[slot] = None;
        }
        for child in self.children.values() {
            child.forget(found);
        }
    }
}

struct Children<'w, 'f, 'a> {
    wanted: &'w Wanted,
    found: &'f mut Found<'a>,
}

impl<'a> Visitor<'a> for Children<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(child) = fields.next_key_seed(Name(self.wanted))? {
            match child {
                Some(child) => child.read(fields.next_value()?, self.found),
                None => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut elements: A) -> Result<(), A::Error> {
        for index in 0_usize.. {
            let read = match self.wanted.children.get(&index.to_string()) {
                Some(child) => elements
                    .next_element()?
                    .map(|value| child.read(value, self.found)),
                None => elements.next_element::<IgnoredAny>()?.map(|_| ()),
            };
            if read.is_none() {
                break;
            }
        }
        Ok(())
    }
}

/// Looks up the child with a field name, without allocating the name.
struct Name<'w>(&'w Wanted);

impl<'a, 'w> DeserializeSeed<'a> for Name<'w> {
    type Value = Option<&'w Wanted>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'w> Visitor<'_> for Name<'w> {
    type Value = Option<&'w Wanted>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.children.get(name))
    }
}
