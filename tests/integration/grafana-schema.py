"""Writes the dashboards as literals of the types that Grafana publishes, for TypeScript's compiler to hold against each other:
grafana-schema.py FOLDER... prints such a module. The types are those of the npm package @grafana/schema.

What that tells: every key of a dashboard, a variable, a panel, its field configuration and options is one that Grafana has, and of
the kind that it takes. What it does not: the types have queries of data sources as any object, and so are those of PostgreSQL's (its
rawSql, format); rules of alerts, data sources and providers are no part of them; which keys must be there the types say of few."""

import glob
import json
import sys

HEAD = """import type * as g from '@grafana/schema';
import type { QueryVariableSpec } from '@grafana/schema/apis/dashboard.grafana.app/v2';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

// Enumerations as JSON has them: by their values.
type Json<T> = T extends string ? `${T}` : T extends number ? (`${T}` extends `${infer N extends number}` ? N : never)
    : T extends boolean | null | undefined ? T : T extends (infer U)[] ? Json<U>[] : T extends object ? { [K in keyof T]: Json<T[K]> } : T;
// What a panel leaves out has Grafana's default.
type Some<T> = T extends (infer U)[] ? Some<U>[] : T extends object ? { [K in keyof T]?: Some<T[K]> } : T;
type Source<F> = Omit<g.FieldConfigSource, 'defaults'> & { defaults: Omit<g.FieldConfig, 'custom'> & { custom?: Some<F> } };
type Of<N extends string, O, F> = Omit<g.Panel, 'type' | 'options' | 'fieldConfig'> & { type: N; options?: Some<O>; fieldConfig?: Source<F> };
type Panel = Of<'stat', stat.Options, {}> | Of<'table', table.Options, table.FieldConfig>
    | Of<'timeseries', timeseries.Options, timeseries.FieldConfig>;
// What Grafana writes beside a variable's query, for its list; the older schema's type of all kinds of variables leaves it out.
type Variable = g.VariableModel & Pick<QueryVariableSpec, 'definition'>;
type Dashboard = Json<Omit<g.Dashboard, 'panels' | 'templating'> & { panels: Panel[]; templating: { list: Variable[] } }>;
"""

print(HEAD)
for number, path in enumerate(sorted(p for folder in sys.argv[1:] for p in glob.glob(folder + "/*.json"))):
    with open(path, encoding="utf-8") as file:
        print("// %s\nexport const board%d: Dashboard = %s;\n" % (path, number, json.dumps(json.load(file), indent=1, ensure_ascii=False)))
