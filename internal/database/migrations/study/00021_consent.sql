-- +goose Up
-- consents: what an act says besides its answers.
alter table consent_act add column signed text not null default '' check (signed in ('', 'typed', 'drawn')); -- how a name was given; the name itself lies in the vault
alter table consent_act add column explicit text not null default ''; -- the sentence that was said yes to besides (GDPR article 9); '' where none was
alter table consent_act add column of_age bigint not null default 0 check (of_age >= 0); -- years that the person said they have reached; 0 where it was not asked
alter table consent_act add column given_on text not null default ''; -- the day it was given, 2006-01-02, where that was before it was entered

-- +goose Down
alter table consent_act drop column given_on;
alter table consent_act drop column of_age;
alter table consent_act drop column explicit;
alter table consent_act drop column signed;
