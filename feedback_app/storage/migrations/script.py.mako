"""${message}

Revision: ${up_revision}
"""

import sqlalchemy as sa

from alembic import op
from feedback_app.storage import database

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Raise the schema."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Take the change back."""
    ${downgrades if downgrades else "pass"}
