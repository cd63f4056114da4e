-- Attributes of pql's programs: each run makes the table anew, and the post-hook tells pql.
{{ config(materialized='table', post_hook="{{ pql.pql_attributes('account', 'account_id') }}") }}

select account_id, plan, employees, country, plan <> 'free' as pays
from {{ ref('crm_accounts') }}
