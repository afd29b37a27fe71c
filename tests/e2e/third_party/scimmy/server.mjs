// A SCIM service made of the npm packages scimmy and scimmy-routers on Express 4; only the storage is ours.
// node server.mjs PORT TOKEN
import express from "express";
import { randomUUID } from "node:crypto";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const [port, token] = process.argv.slice(2);

function storage(unique) {
    const rows = new Map();
    const taken = (id, value) => [...rows.values()].some(
        (row) => row.id !== id && String(row[unique]).toLowerCase() === String(value).toLowerCase()
    );
    return {
        rows,
        ingress(resource, instance) {
            const id = resource.id ?? randomUUID();
            if (resource.id && !rows.has(id)) throw new SCIMMY.Types.Error(404, null, `Resource ${id} not found`);
            if (taken(id, instance[unique])) throw new SCIMMY.Types.Error(409, "uniqueness", `${unique} is taken`);
            const now = new Date();
            const row = JSON.parse(JSON.stringify(instance));
            row.id = id;
            row.meta = { created: rows.get(id)?.meta.created ?? now, lastModified: now };
            rows.set(id, row);
            return row;
        },
        egress(resource) {
            if (resource.id) {
                if (!rows.has(resource.id)) throw new SCIMMY.Types.Error(404, null, `Resource ${resource.id} not found`);
                return rows.get(resource.id);
            }
            const all = [...rows.values()];
            return resource.filter ? resource.filter.match(all) : all;
        },
        degress(resource) {
            if (!rows.delete(resource.id)) throw new SCIMMY.Types.Error(404, null, `Resource ${resource.id} not found`);
        }
    };
}

const users = storage("userName");
const groups = storage("displayName");
const degress = users.degress;
users.degress = (resource) => {
    degress(resource);
    for (const group of groups.rows.values()) {
        group.members = (group.members ?? []).filter((member) => member.value !== resource.id);
    }
};
const { User, Group } = SCIMMY.Resources;
SCIMMY.Resources.declare(User.extend(SCIMMY.Schemas.EnterpriseUser, false), {
    ingress: users.ingress, egress: users.egress, degress: users.degress
});
SCIMMY.Resources.declare(Group, { ingress: groups.ingress, egress: groups.egress, degress: groups.degress });
SCIMMY.Config.set({ patch: true, filter: true, sort: true });

const app = express();
app.use("/scim", new SCIMMYRouters({
    type: "bearer",
    handler(request) {
        if (request.header("Authorization") !== `Bearer ${token}`) throw new Error("The token is not valid");
        return "certification";
    }
}));
app.listen(Number(port), "127.0.0.1", () => console.log("ready"));
