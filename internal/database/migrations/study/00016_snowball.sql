-- +goose Up
-- recruitment: invitations that an informant passes on. A row tells nothing of a friend before that friend answers, and
-- of one who says no, or who is known already, no more than that the coupon is used.
alter table participant add column network_size bigint not null default -1; -- how many others they know who could take part; -1 not asked, or not known
alter table participant add column coupon bigint not null default 0; -- the number of their recruiter's coupon; 0 where none led to them

create table referral_coupon (
    id               text primary key,
    study_id         text not null,
    person_id        text not null, -- the informant; '' once they are erased and a friend's yes is kept for the friend
    number           bigint not null check (number >= 0), -- among the informant's own; 0 once they are erased
    show_name        boolean not null, -- the friend may see who passed it on
    made_at          bigint not null,
    expires_at       bigint not null,
    answer           text not null check (answer in ('', 'yes', 'no', 'known')), -- '' is not used; known: nobody new came of it
    friend_person_id text not null, -- who came of it, or ''
    answered_at      bigint not null, -- when they said yes; 0 otherwise
    language         text not null, -- in which they read the words below, or ''
    consent          text not null -- what they said yes to, word for word, or ''
);
create unique index referral_coupon_number on referral_coupon (person_id, number) where person_id <> '';
create index referral_coupon_study on referral_coupon (study_id);
create index referral_coupon_friend on referral_coupon (friend_person_id) where friend_person_id <> '';

-- +goose Down
drop table referral_coupon;
alter table participant drop column coupon;
alter table participant drop column network_size;
