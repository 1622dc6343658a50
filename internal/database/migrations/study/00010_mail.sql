-- +goose Up
-- internal/mail: what is to be mailed, written in the transaction that made it necessary. No address, name or answer.
create table mail (
    id         text primary key, -- also the Message-ID's local part
    seq        bigint not null, -- order of writing; two writers at once may share a number
    study_id   text not null, -- '' where no study is concerned
    person_id  text not null, -- the participant, or '' and
    account_id text not null, -- the member of staff
    about_person_id text not null, -- the participant whom a mail to staff is about, or ''
    kind       text not null,
    params     text not null, -- JSON of strings; identifiers, numbers and codes
    key        text not null, -- '' or unique in the study: mails with the same key are one mail
    created_at bigint not null,
    not_before bigint not null,
    next_at    bigint not null, -- when it is to be tried (again)
    state      text not null check (state in ('waiting', 'sent', 'stale', 'failed', 'dropped')),
    attempts   bigint not null, -- that failed because of this very mail
    reason     text not null, -- code of the latest failure, or ''
    status     bigint not null, -- SMTP reply that came with it, or 0
    lease      text not null, -- whoever holds this word is sending it
    leased_to  bigint not null, -- until then nobody else does
    done_at    bigint not null, -- when it left the state 'waiting', or 0
    check ((person_id = '') <> (account_id = '')),
    check (about_person_id = '' or account_id <> '')
);
create unique index mail_key on mail (study_id, key) where key <> '';
create index mail_due on mail (next_at, seq) where state = 'waiting';
create index mail_seq on mail (seq);
create index mail_person on mail (person_id);
create index mail_about on mail (about_person_id);
create index mail_study on mail (study_id, state);

-- +goose Down
drop table mail;
