//! An export of a tenant that is too large to be held: kind by kind, file by file.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::PathBuf;

use super::lay::{Found, Writer};
use super::words::Named;
use super::{Export, ExportOptions};
use crate::problem::Problem;
use crate::schema::{KindSpec, Registry};

/// The first look at every kind: which names there are, and which secrets would share one.
pub struct Survey<'a> {
    registry: &'a Registry,
    options: &'a ExportOptions,
    writer: Writer<'a>,
    named: Named,
}

impl<'a> Survey<'a> {
    /// Begins.
    pub fn new(registry: &'a Registry, options: &'a ExportOptions) -> Self {
        let writer = Writer::new(registry, options, None, Named::default(), BTreeSet::new());
        Survey { registry, options, writer, named: Named::default() }
    }

    /// Looks at a kind; each has to be shown, in the registry's order. `None` for one that was not read.
    pub fn kind(&mut self, spec: &'a KindSpec, found: Option<Found<'_>>) {
        if let Some(found) = found {
            self.named.learn(self.registry, &spec.name, found);
        }
        let Ok(()) = self.writer.kind::<Infallible>(spec, found, &mut |files| {
            files.clear();
            Ok(())
        });
    }

    /// Ends the survey, and begins to write.
    pub fn written(self) -> Gradual<'a> {
        let shared = self.writer.shared_names();
        Gradual(Writer::new(self.registry, self.options, None, self.named, shared))
    }
}

/// An export under way, after a [`Survey`].
pub struct Gradual<'a>(Writer<'a>);

impl<'a> Gradual<'a> {
    /// Writes a kind; each has to be shown as it was in the survey, in the same order. `take` gets each file when it is whole.
    ///
    /// # Errors
    ///
    /// Those of `take`.
    pub fn kind(
        &mut self,
        spec: &'a KindSpec,
        found: Option<Found<'_>>,
        take: &mut dyn FnMut(PathBuf, String) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        self.0.kind(spec, found, &mut |files| files.drain(..).try_for_each(|(path, text)| take(path, text)))
    }

    /// Ends: what is returned holds the files that were not handed out yet, and the report as [`files`](super::files) gives it.
    pub fn finish(self) -> Export {
        self.0.finish()
    }
}
