-- +goose Up
-- consents: the register of who answered what is read newest first, a page at a time.
create index consent_act_register on consent_act (study_id, at, person_id);

-- consents: what stands is counted, and looked up purpose by purpose, without reading the words beside it.
create index consent_item_standing on consent_item (study_id, purpose, person_id, number, answer);

-- internal/audit: the entries of one kind are found without reading the others.
create index audit_entry_action on audit_entry (study_id, action, seq);

-- internal/audit: up to which entry, and on which day (UTC), the owners were told the newest hash.
create table audit_told (
    one boolean primary key check (one),
    day text not null, -- 2006-01-02, '' before the first
    seq bigint not null
);
insert into audit_told (one, day, seq) values (true, '', 0);

-- +goose Down
drop table audit_told;
drop index audit_entry_action;
drop index consent_item_standing;
drop index consent_act_register;
