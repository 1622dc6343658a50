-- +goose Up
-- identities: what is asked of many people at once without opening anybody. Hints: whoever sends a mail asks again.
alter table identity add column has_email boolean not null default true; -- false: no mail can reach them
alter table identity add column barred boolean not null default false; -- no_contact has their e-mail address or telephone number
create index identity_barred on identity (study_id) where barred;

-- +goose Down
drop index identity_barred;
alter table identity drop column barred;
alter table identity drop column has_email;
