-- +goose Up
-- identities: that somebody who is erased had consented, and to what, for as long as that may be disputed. Each is sealed with a
-- data key of its own (its id is the key's) and goes with that key. Nothing here says whose it is: it is found by who knows the
-- address or the number, through hashes made for this use alone.
create table proof (
    id         text primary key,
    study_id   text not null,
    expires_at bigint not null, -- UTC milliseconds
    sealed     bytea not null   -- JSON: name, address, number, and the acts with the words that were shown
);
create index proof_study on proof (study_id, expires_at);
create table proof_lookup (
    study_id text not null,
    hash     text not null, -- keyed hash of a normalised e-mail address or telephone number
    proof_id text not null references proof (id),
    primary key (study_id, hash, proof_id)
);
create index proof_lookup_proof on proof_lookup (proof_id);

-- +goose Down
drop table proof_lookup;
drop table proof;
