//! Files whose names promise a format that their bytes are not.

use crate::fact::Gap;
use crate::facts::Facts;
use crate::format::Context;
use crate::pickle;
use crate::source::Source;

/// Says that a file is not what its name promises, and looks for what could be run.
pub(crate) fn unrecognised(source: &dyn Source, context: &Context<'_>, promised: &str, facts: &mut Facts) {
    pickle::search(source, 0, context.budget, facts);
    facts.incomplete(0, Gap::UnknownFormat, format!("its name is that of {promised}, which it is not"));
}
