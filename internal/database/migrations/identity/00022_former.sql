-- +goose Up
-- The address that somebody's mail no longer goes to, kept for the days in which it is told so.
create table former_address (
    id        text primary key,
    person_id text not null,
    study_id  text not null,
    sealed    bytea not null, -- the address, sealed with the person's data key and bound to this id
    at        bigint not null
);
create index former_address_person on former_address (person_id);
create index former_address_at on former_address (at);

-- +goose Down
drop table former_address;
