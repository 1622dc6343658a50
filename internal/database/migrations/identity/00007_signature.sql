-- +goose Up
-- identities: the name under an act of consent, where a study demands one. The study store knows that there is one.
create table signature (
    act_id    text primary key,
    person_id text not null,
    study_id  text not null,
    sealed    bytea not null, -- JSON, sealed with the person's data key and bound to the act
    signed_at bigint not null
);
create index signature_person on signature (person_id);

-- +goose Down
drop table signature;
