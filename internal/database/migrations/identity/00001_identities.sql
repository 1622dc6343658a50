-- +goose Up
-- identities: what only the vault knows. Every sealed column is bound to its study, person, field and version.
create table identity (
    person_id  text primary key,
    study_id   text not null,
    version    bigint not null check (version > 0), -- rises with every change; part of the associated data
    sealed     bytea not null, -- JSON of all fields, sealed with the person's data key
    updated_at bigint not null
);
create index identity_study on identity (study_id);

-- Keyed hashes of normalised e-mail addresses and telephone numbers, to recognise a person imported twice.
create table identity_lookup (
    study_id  text not null,
    hash      text not null,
    person_id text not null references identity (person_id),
    primary key (study_id, hash, person_id)
);
create index identity_lookup_person on identity_lookup (person_id);

-- +goose Down
drop table identity_lookup;
drop table identity;
