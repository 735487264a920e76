CREATE TABLE statement (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    fault INTEGER NOT NULL,
    problem TEXT,
    form INTEGER,
    signatures INTEGER NOT NULL DEFAULT 0,
    claimed_signer TEXT,
    predicate_type TEXT,
    step TEXT,
    builder TEXT,
    said_at TEXT,
    left_out INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL DEFAULT 0,
    modified INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL DEFAULT 0,
    inode INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX faulty ON statement (fault) WHERE fault <> 0;
CREATE INDEX incomplete ON statement (left_out) WHERE left_out <> 0;
CREATE INDEX unread ON statement (digest) WHERE problem IS NOT NULL;
CREATE TABLE node (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    label TEXT
) STRICT;
CREATE TABLE subject (
    node INTEGER NOT NULL,
    statement INTEGER NOT NULL,
    PRIMARY KEY (node, statement)
) STRICT, WITHOUT ROWID;
CREATE TABLE edge (
    id INTEGER PRIMARY KEY,
    subject INTEGER NOT NULL,
    object INTEGER NOT NULL,
    relation INTEGER NOT NULL,
    statement INTEGER NOT NULL,
    claim TEXT
) STRICT;
CREATE TABLE shard (
    name TEXT PRIMARY KEY,
    changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE assurance (
    statement INTEGER NOT NULL,
    policy TEXT NOT NULL,
    judgement TEXT NOT NULL,
    PRIMARY KEY (statement, policy)
) STRICT, WITHOUT ROWID;
CREATE TABLE note (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
