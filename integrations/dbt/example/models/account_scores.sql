select a.account_id, a.plan, {{ pql.pql_score('workspace_expansion', 'a.account_id') }} as score
from {{ ref('accounts') }} as a
