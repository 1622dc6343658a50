-- +goose Up
-- recruitment: what a contact's note is called in the vault, and what stood before a contact, so that a slip can be taken
-- back. Contacts from before this file have no reached_was and stay.
alter table contact_log add column note text not null default ''; -- random id of the sealed note, '' if there is none
alter table contact_log add column next_was bigint not null default 0; -- the try that was planned, 0 if none
alter table contact_log add column reached_was text not null default '';
alter table contact_log add column moved boolean not null default false; -- it changed the state: the change is numbered seq + 1

-- Tries that were put off. That is a change of plan and no contact.
create table contact_plan (
    person_id text not null references participant (person_id),
    seq       bigint not null,
    study_id  text not null,
    at        bigint not null,
    next_at   bigint not null,
    actor     text not null,
    primary key (person_id, seq)
);

-- +goose Down
drop table contact_plan;
alter table contact_log drop column moved;
alter table contact_log drop column reached_was;
alter table contact_log drop column next_was;
alter table contact_log drop column note;
