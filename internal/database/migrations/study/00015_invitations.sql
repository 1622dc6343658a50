-- +goose Up
-- internal/mail: mails that were put into the queue together.
alter table mail add column batch text not null default ''; -- '' for a mail that stands alone
create index mail_batch on mail (batch, state, next_at) where batch <> '';

-- recruitment: letters sent together. Who they went to is in the mails, and gone with them.
create table invitation_batch (
    id         text primary key,
    study_id   text not null,
    actor      text not null,
    at         bigint not null, -- UTC milliseconds, as all here
    first_at   bigint not null, -- when the first letter was to leave
    per_hour   bigint not null check (per_hour > 0),
    size       bigint not null, -- letters put into the queue
    stopped_at bigint not null -- when somebody took back what had not left, or 0
);
create index invitation_batch_study on invitation_batch (study_id, at);

-- +goose Down
drop table invitation_batch;
drop index mail_batch;
alter table mail drop column batch;
