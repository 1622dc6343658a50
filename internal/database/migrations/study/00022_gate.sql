-- +goose Up
-- consents: what somebody wrote to a request lies sealed in the vault, and a request may take longer once (GDPR article 12 (3)).
alter table task add column note text not null default ''; -- random id of the sealed note, '' if there is none
alter table task add column extended boolean not null default false; -- the person was told that it takes up to two months more
-- A restriction ends a day after the person was told (GDPR article 18 (3)); 0 while nobody has said that it shall.
alter table restriction add column lifts_at bigint not null default 0;
-- internal/audit: what is noted of one person, for their own copy.
create index audit_entry_person on audit_entry (person_id, seq) where person_id <> '';

-- +goose Down
drop index audit_entry_person;
alter table restriction drop column lifts_at;
alter table task drop column extended;
alter table task drop column note;
