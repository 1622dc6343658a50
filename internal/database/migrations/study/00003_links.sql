-- +goose Up
-- internal/links: capabilities. The token is made from the id and the person's key; only its hash is here.
create table link (
    id         text primary key,
    study_id   text not null,
    person_id  text not null,
    purpose    text not null check (purpose <> ''),
    subject    text not null, -- what of its kind it is for, such as a survey's id; empty where there is only one
    token_hash text not null unique,
    expires_at bigint not null,
    unique (person_id, purpose, subject)
);

-- +goose Down
drop table link;
