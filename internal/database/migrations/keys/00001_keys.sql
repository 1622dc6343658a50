-- +goose Up
-- A data key per person, wrapped by the installation's master key.
create table data_key (
    person_id  text primary key,
    wrapped    bytea not null,
    created_at bigint not null
);
-- Random ids whose keys were destroyed: a restore applies them again.
create table erased (
    person_id text primary key,
    erased_at bigint not null
);
-- One value sealed with the master key, so that a wrong master key is found at start and not at the first name.
create table key_check (
    one    boolean primary key check (one),
    sealed bytea not null
);

-- +goose Down
drop table key_check;
drop table erased;
drop table data_key;
