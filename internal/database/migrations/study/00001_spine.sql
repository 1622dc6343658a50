-- +goose Up
-- internal/intents: an act that spans stores, as a row until all its steps are done.
create table intent (
    id         text primary key,
    study_id   text not null,
    person_id  text not null,
    kind       text not null,
    params     text not null, -- JSON; pseudonyms and study data only
    step       bigint not null check (step >= 0), -- steps done so far
    started_at bigint not null,
    leased_to  bigint not null, -- until then another worker leaves it alone
    failures   bigint not null
);
create index intent_person on intent (person_id);

-- internal/audit: who did what to which pseudonym, each entry hashed onto the one before.
create table audit_entry (
    seq       bigint primary key check (seq > 0),
    at        bigint not null,
    actor     text not null,
    action    text not null,
    study_id  text not null,
    person_id text not null, -- random id; stays after erasure, when it points nowhere
    detail    text not null,
    hash      text not null
);
create index audit_entry_study on audit_entry (study_id, seq);
create table audit_head (
    one  boolean primary key check (one),
    seq  bigint not null,
    hash text not null
);
insert into audit_head (one, seq, hash) values (true, 0, '');

-- internal/database: forms that were handed in, so that a second time is no second act.
create table form_key (
    key     text primary key,
    used_at bigint not null
);
create index form_key_age on form_key (used_at);

-- +goose Down
drop table form_key;
drop table audit_head;
drop table audit_entry;
drop table intent;
