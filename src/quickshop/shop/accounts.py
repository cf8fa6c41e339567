"""The use cases of accounts and staff, and how they are wired."""

from __future__ import annotations

from dataclasses import dataclass

from quickshop.application.identity import passwords, registration, staff
from quickshop.application.identity import roles as role_cases
from quickshop.application.identity import sessions as session_cases
from quickshop.application.identity.tokens import Issuing
from quickshop.ports.cache import SessionCache
from quickshop.ports.identity import IdentityReader
from quickshop.ports.readers import Readers
from quickshop.ports.security import PasswordHasher
from quickshop.shop.policy import Policy
from quickshop.shop.wiring import Core, Security


@dataclass(frozen=True, slots=True)
class Accounts:
    """Accounts, sign-in and sessions."""

    register: registration.Register
    confirm: registration.ConfirmAccount
    log_in: session_cases.LogIn
    refresh: session_cases.RefreshSession
    authenticate: session_cases.Authenticate
    sessions: session_cases.ListSessions
    end_session: session_cases.EndSession
    end_all_sessions: session_cases.EndAllSessions
    change_password: passwords.ChangePassword
    request_password_reset: passwords.RequestPasswordReset
    reset_password: passwords.ResetPassword
    request_email_change: passwords.RequestEmailChange
    confirm_email_change: passwords.ConfirmEmailChange


@dataclass(frozen=True, slots=True)
class Staff:
    """Staff accounts, roles and API keys."""

    create_admin: staff.CreateAdmin
    invite: staff.InviteUser
    list: staff.ListUsers
    grant: staff.GrantRole
    revoke: staff.RevokeRole
    disable: staff.DisableAccount
    enable: staff.EnableAccount
    roles: role_cases.ListRoles
    set_role: role_cases.SetRole
    remove_role: role_cases.RemoveRole
    api_keys: role_cases.ListApiKeys
    make_api_key: role_cases.MakeApiKey
    revoke_api_key: role_cases.RevokeApiKey


def build_accounts(
    policy: Policy,
    core: Core,
    security: Security,
    identity: IdentityReader,
    cache: SessionCache,
) -> Accounts:
    """Connect the use cases to the ports."""
    unit_of_work, clock, identifiers = core.unit_of_work, core.clock, core.identifiers
    hasher, tokens = security.passwords, security.tokens
    issuing = Issuing(clock, identifiers, tokens, policy.session_lasts)
    check = passwords.CheckPassword(unit_of_work, hasher)
    return Accounts(
        register=registration.Register(unit_of_work, clock, identifiers, hasher),
        confirm=registration.ConfirmAccount(unit_of_work, clock, identifiers),
        log_in=session_cases.LogIn(unit_of_work, hasher, identity, clock, issuing),
        refresh=session_cases.RefreshSession(unit_of_work, clock, issuing, cache),
        authenticate=session_cases.Authenticate(identity, cache, clock, tokens),
        sessions=session_cases.ListSessions(identity, clock),
        end_session=session_cases.EndSession(unit_of_work, clock, cache),
        end_all_sessions=session_cases.EndAllSessions(unit_of_work, clock, cache),
        change_password=passwords.ChangePassword(unit_of_work, clock, hasher, cache, check),
        request_password_reset=passwords.RequestPasswordReset(unit_of_work, clock, identifiers),
        reset_password=passwords.ResetPassword(unit_of_work, clock, hasher, cache),
        request_email_change=passwords.RequestEmailChange(unit_of_work, clock, identifiers, check),
        confirm_email_change=passwords.ConfirmEmailChange(unit_of_work, clock),
    )


def build_staff(
    core: Core,
    hasher: PasswordHasher,
    readers: Readers,
    cache: SessionCache,
) -> Staff:
    """Connect the use cases to the ports."""
    unit_of_work, clock, identifiers = core.unit_of_work, core.clock, core.identifiers
    return Staff(
        create_admin=staff.CreateAdmin(unit_of_work, clock, identifiers, hasher, cache),
        invite=staff.InviteUser(unit_of_work, clock, identifiers),
        list=staff.ListUsers(readers.customers),
        grant=staff.GrantRole(unit_of_work, clock),
        revoke=staff.RevokeRole(unit_of_work, clock),
        disable=staff.DisableAccount(unit_of_work, clock, cache),
        enable=staff.EnableAccount(unit_of_work, clock),
        roles=role_cases.ListRoles(readers.identity),
        set_role=role_cases.SetRole(unit_of_work, clock),
        remove_role=role_cases.RemoveRole(unit_of_work),
        api_keys=role_cases.ListApiKeys(readers.identity),
        make_api_key=role_cases.MakeApiKey(
            unit_of_work, clock, identifiers, passwords.CheckPassword(unit_of_work, hasher)
        ),
        revoke_api_key=role_cases.RevokeApiKey(unit_of_work, clock, cache),
    )
