"""Which routes there are, and who may call each: the table that tests hold the API against.

A new route without a row fails, and so does a row without a route. `who` is an audience, or the
permission that staff and their programs need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the API."""

    operation: str
    method: str
    path: str
    who: str


_TABLE: Final = """
list_products           GET    /v1/products                                    public
get_product             GET    /v1/products/{key}                              public
list_categories         GET    /v1/categories                                  public
create_cart             POST   /v1/carts                                       shopper
list_own_carts          GET    /v1/carts                                       account
claim_cart              POST   /v1/carts/{cart_id}/claim                       account
get_cart                GET    /v1/carts/{cart_id}                             shopper
add_cart_line           POST   /v1/carts/{cart_id}/lines                       shopper
change_cart_line        PATCH  /v1/carts/{cart_id}/lines/{line_id}             shopper
remove_cart_line        DELETE /v1/carts/{cart_id}/lines/{line_id}             shopper
hold_cart               POST   /v1/carts/{cart_id}/hold                        shopper
release_cart            DELETE /v1/carts/{cart_id}/hold                        shopper
place_order             POST   /v1/carts/{cart_id}/checkout                    shopper
pay_order_again         POST   /v1/orders/{order_id}/payments                  shopper
list_own_orders         GET    /v1/orders                                      shopper
get_own_order           GET    /v1/orders/{order_id}                           shopper
cancel_own_order        POST   /v1/orders/{order_id}/cancel                    shopper
receive_payment_webhook POST   /v1/payments/webhooks/{provider}                public
register                POST   /v1/auth/register                               public
confirm_account         POST   /v1/auth/confirm                                public
log_in                  POST   /v1/auth/login                                  public
refresh_session         POST   /v1/auth/refresh                                public
log_out                 POST   /v1/auth/logout                                 public
log_out_everywhere      POST   /v1/auth/logout-everywhere                      account
request_password_reset  POST   /v1/auth/password-reset                         public
reset_password          POST   /v1/auth/password-reset/confirm                 public
confirm_email_change    POST   /v1/auth/confirm-email                          public
get_profile             GET    /v1/me                                          account
update_profile          PATCH  /v1/me                                          account
save_address            POST   /v1/me/addresses                                account
replace_address         PUT    /v1/me/addresses/{address_id}                   account
remove_address          DELETE /v1/me/addresses/{address_id}                   account
list_sessions           GET    /v1/me/sessions                                 account
end_session             DELETE /v1/me/sessions/{session_id}                    account
change_password         POST   /v1/me/password                                 account
request_email_change    POST   /v1/me/email                                    account
export_own_data         GET    /v1/me/export                                   account
erase_own_account       POST   /v1/me/erase                                    account
check_live              GET    /health/live                                    probe
check_ready             GET    /health/ready                                   probe
list_all_products       GET    /v1/admin/products                              catalog:read
create_product          POST   /v1/admin/products                              catalog:write
inspect_product         GET    /v1/admin/products/{product_id}                 catalog:read
update_product          PATCH  /v1/admin/products/{product_id}                 catalog:write
publish_product         POST   /v1/admin/products/{product_id}/publish         catalog:write
unpublish_product       POST   /v1/admin/products/{product_id}/unpublish       catalog:write
set_product_images      PUT    /v1/admin/products/{product_id}/images          catalog:write
change_price            POST   /v1/admin/prices                                catalog:write
create_category         POST   /v1/admin/categories                            catalog:write
rename_category         PATCH  /v1/admin/categories/{category_id}              catalog:write
move_category           POST   /v1/admin/categories/{category_id}/move         catalog:write
delete_category         DELETE /v1/admin/categories/{category_id}              catalog:write
list_stock              GET    /v1/admin/inventory                             inventory:read
list_locations          GET    /v1/admin/locations                             inventory:read
receive_stock           POST   /v1/admin/inventory/receipts                    inventory:write
adjust_stock            POST   /v1/admin/inventory/adjustments                 inventory:write
count_stock             POST   /v1/admin/inventory/counts                      inventory:write
transfer_stock          POST   /v1/admin/inventory/transfers                   inventory:write
configure_stock         PATCH  /v1/admin/inventory                             inventory:write
list_orders             GET    /v1/admin/orders                                orders:read
get_order               GET    /v1/admin/orders/{order_id}                     orders:read
fulfill_order           POST   /v1/admin/orders/{order_id}/fulfillments        orders:write
complete_order          POST   /v1/admin/orders/{order_id}/complete            orders:write
cancel_order            POST   /v1/admin/orders/{order_id}/cancel              orders:write
add_note                POST   /v1/admin/orders/{order_id}/notes               orders:write
capture_payment         POST   /v1/admin/orders/{order_id}/capture             payments:write
void_payment            POST   /v1/admin/orders/{order_id}/void                payments:write
refund_order            POST   /v1/admin/orders/{order_id}/refunds             payments:write
start_import            POST   /v1/admin/imports                               catalog:write
list_imports            GET    /v1/admin/imports                               catalog:read
get_import              GET    /v1/admin/imports/{import_id}                   catalog:read
list_import_issues      GET    /v1/admin/imports/{import_id}/issues            catalog:read
get_queue_size          GET    /v1/admin/jobs                                  jobs:read
list_dead_jobs          GET    /v1/admin/jobs/dead                             jobs:read
replay_job              POST   /v1/admin/jobs/dead/{job_id}/replay             jobs:write
list_customers          GET    /v1/admin/customers                             customers:read
get_customer            GET    /v1/admin/customers/{customer_id}               customers:read
disable_account         POST   /v1/admin/customers/{customer_id}/disable       customers:write
enable_account          POST   /v1/admin/customers/{customer_id}/enable        customers:write
erase_customer          POST   /v1/admin/customers/{customer_id}/erase         customers:write
list_active_carts       GET    /v1/admin/carts                                 orders:read
list_users              GET    /v1/admin/users                                 users:read
invite_user             POST   /v1/admin/users                                 users:write
grant_role              PUT    /v1/admin/users/{user_id}/roles/{role}          users:write
revoke_role             DELETE /v1/admin/users/{user_id}/roles/{role}          users:write
list_roles              GET    /v1/admin/roles                                 users:read
set_role                PUT    /v1/admin/roles/{role}                          users:write
remove_role             DELETE /v1/admin/roles/{role}                          users:write
list_api_keys           GET    /v1/admin/api-keys                              users:read
make_api_key            POST   /v1/admin/api-keys                              users:write
revoke_api_key          DELETE /v1/admin/api-keys/{api_key_id}                 users:write
go_to_docs              GET    /                                               public
show_docs               GET    /docs                                           public
show_schema             GET    /openapi.json                                   public
"""

ROUTES: Final = tuple(Route(*line.split()) for line in _TABLE.split("\n") if line.strip())
