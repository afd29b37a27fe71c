#!/usr/bin/env bash
# Provisions an application from the gallery over the Graph-compatible API, from the first request to the log.
#
#   GRAPH=http://127.0.0.1:8080/v1.0 TOKEN=… TARGET=https://app.example.com/scim SECRET=… \
#       provision-with-graph.sh "Dialpad" ada@example.com [GROUP…]
#
# GRAPH   the API's address; Microsoft's own is https://graph.microsoft.com/v1.0
# TOKEN   a bearer token: provisor token create, or one of the authority's
# TARGET  the application's SCIM address (Tenant URL), SECRET its token (Secret Token)
#
# Needs bash, curl and python3. Prints what it does to standard error, and the finished job to standard output.
set -euo pipefail

app=${1:?the gallery app\'s display name} user=${2:?whom to assign: an id or a user principal name}
shift 2
: "${GRAPH:?the address of the API}" "${TOKEN:?a bearer token}" "${TARGET:?the SCIM address}" "${SECRET:?its token}"

say() { printf '%s\n' "$*" >&2; }

# graph METHOD PATH [BODY]: the answer's body. An error is printed, and ends the script.
graph() {
    local body
    # The token is read from a file descriptor: arguments can be seen by other people on the machine.
    body=$(curl --silent --show-error --request "$1" --globoff "$GRAPH$2" \
        --header @<(printf 'Authorization: Bearer %s\n' "$TOKEN") \
        --header 'Content-Type: application/json' \
        ${3+--data-binary @-} --write-out '\n%{http_code}' <<<"${3-}")
    local status=${body##*$'\n'}
    body=${body%$'\n'*}
    if [ "$status" -ge 400 ]; then
        say "$1 $2: $status"
        say "$body"
        return 1
    fi
    printf '%s' "$body"
}

# field EXPRESSION: of the JSON on standard input, which is called d.
field() { python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }

# quoted TEXT: for a filter, with quotes doubled and everything percent-encoded; json TEXT: for a body.
quoted() { python3 -c 'import sys, urllib.parse as u; print(u.quote("'"'"'" + sys.argv[1].replace("'"'"'", "'"'"''"'"'") + "'"'"'"))' "$1"; }
json() { python3 -c 'import json, sys; print(json.dumps(sys.argv[1]))' "$1"; }

say "1. The application, from the gallery"
template=$(graph GET "/applicationTemplates?\$filter=displayName%20eq%20$(quoted "$app")" | field 'd["value"][0]["id"]')
made=$(graph POST "/applicationTemplates/$template/instantiate" "{\"displayName\": $(json "$app")}")
sp=$(field 'd["servicePrincipal"]["id"]' <<<"$made")
# With Microsoft's own service it takes a while until what was made can be read.
until role=$(graph GET "/servicePrincipals/$sp" | field 'd["appRoles"][0]["id"]'); do sleep 2; done

say "2. A provisioning job of its template"
name=$(graph GET "/servicePrincipals/$sp/synchronization/templates" | field 'd["value"][0]["id"]')
job=$(graph POST "/servicePrincipals/$sp/synchronization/jobs" "{\"templateId\": $(json "$name")}" | field 'd["id"]')
jobs="/servicePrincipals/$sp/synchronization/jobs/$job"

say "3. Test Connection, then the credentials"
pairs="[{\"key\": \"BaseAddress\", \"value\": $(json "$TARGET")}, {\"key\": \"SecretToken\", \"value\": $(json "$SECRET")}]"
graph POST "$jobs/validateCredentials" "{\"useSavedCredentials\": false, \"credentials\": $pairs}"
graph PUT "/servicePrincipals/$sp/synchronization/secrets" "{\"value\": $pairs}"

say "4. The mappings, and one expression tried"
schema=$(graph GET "$jobs/schema")
rule=$(field 'd["synchronizationRules"][0]["id"]' <<<"$schema")
tried='{"expression": "Join(\" \", [givenName], [surname])", "testInputObject": {"properties":
    [{"key": "givenName", "value": "Ada"}, {"key": "surname", "value": "Lovelace"}]}}'
say "   Join gives: $(graph POST "$jobs/schema/parseExpression" "$tried" | field 'd["evaluationResult"][0]')"

say "5. Who is to have it"
assign() {
    graph POST "/servicePrincipals/$sp/appRoleAssignedTo" \
        "{\"principalId\": \"$1\", \"resourceId\": \"$sp\", \"appRoleId\": \"$role\"}" >/dev/null
}
person=$(graph GET "/users/$user" | field 'd["id"]')
assign "$person"
for group in "$@"; do
    assign "$(graph GET "/groups?\$filter=displayName%20eq%20$(quoted "$group")" | field 'd["value"][0]["id"]')"
done

say "6. One person on demand"
done=$(graph POST "$jobs/provisionOnDemand" "{\"parameters\": [{\"ruleId\": \"$rule\", \"subjects\":
    [{\"objectId\": \"$person\", \"objectTypeName\": \"User\"}]}]}")
say "   $(field 'json.loads(d["key"])["result"]' <<<"$done"): $(field 'json.loads(d["value"])["action"]' <<<"$done")"

say "7. Everybody: the initial cycle"
graph POST "$jobs/start"
until [ "$(graph GET "$jobs" | field 'd["status"]["lastExecution"] is not None')" = True ]; do sleep 1; done

say "8. What was done"
filter="\$filter=jobId%20eq%20$(quoted "$job")"
graph GET "/auditLogs/provisioning?$filter" | python3 -c '
import json, sys
for one in json.load(sys.stdin)["value"]:
    print("  ", one["provisioningAction"], one["provisioningStatusInfo"]["status"], one["sourceIdentity"]["displayName"], file=sys.stderr)'
graph GET "$jobs"
