using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Plinth.Web.Persistence.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Volumes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<Guid>(
                name: "Volume",
                table: "Operations",
                type: "uuid",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "Volumes",
                columns: table => new
                {
                    Id = table.Column<Guid>(type: "uuid", nullable: false),
                    Project = table.Column<Guid>(type: "uuid", nullable: false),
                    Name = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Description = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    StorageClass = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    SizeGib = table.Column<int>(type: "integer", nullable: false),
                    Host = table.Column<Guid>(type: "uuid", nullable: false),
                    State = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    StateReason = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Vm = table.Column<Guid>(type: "uuid", nullable: true),
                    Made = table.Column<bool>(type: "boolean", nullable: false),
                    Generation = table.Column<long>(type: "bigint", nullable: false),
                    Observed = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    ObservedAt = table.Column<long>(type: "bigint", nullable: true),
                    Operation = table.Column<Guid>(type: "uuid", nullable: true),
                    CreatedBy = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    CreatedAt = table.Column<long>(type: "bigint", nullable: false),
                    UpdatedAt = table.Column<long>(type: "bigint", nullable: false),
                    DeletedAt = table.Column<long>(type: "bigint", nullable: true),
                    Version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Volumes", x => x.Id);
                    table.ForeignKey(
                        name: "FK_Volumes_Hosts_Host",
                        column: x => x.Host,
                        principalTable: "Hosts",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "FK_Volumes_Projects_Project",
                        column: x => x.Project,
                        principalTable: "Projects",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "FK_Volumes_Vms_Vm",
                        column: x => x.Vm,
                        principalTable: "Vms",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "VolumeAllocations",
                columns: table => new
                {
                    Volume = table.Column<Guid>(type: "uuid", nullable: false),
                    Project = table.Column<Guid>(type: "uuid", nullable: false),
                    Host = table.Column<Guid>(type: "uuid", nullable: false),
                    DiskGib = table.Column<int>(type: "integer", nullable: false),
                    At = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_VolumeAllocations", x => x.Volume);
                    table.ForeignKey(
                        name: "FK_VolumeAllocations_Hosts_Host",
                        column: x => x.Host,
                        principalTable: "Hosts",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "FK_VolumeAllocations_Volumes_Volume",
                        column: x => x.Volume,
                        principalTable: "Volumes",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateIndex(
                name: "IX_Operations_Volume",
                table: "Operations",
                column: "Volume");

            migrationBuilder.CreateIndex(
                name: "IX_VolumeAllocations_Host",
                table: "VolumeAllocations",
                column: "Host");

            migrationBuilder.CreateIndex(
                name: "IX_Volumes_Host",
                table: "Volumes",
                column: "Host");

            migrationBuilder.CreateIndex(
                name: "IX_Volumes_Project_Name",
                table: "Volumes",
                columns: new[] { "Project", "Name" },
                unique: true,
                filter: "\"DeletedAt\" IS NULL");

            migrationBuilder.CreateIndex(
                name: "IX_Volumes_Vm",
                table: "Volumes",
                column: "Vm");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "VolumeAllocations");

            migrationBuilder.DropTable(
                name: "Volumes");

            migrationBuilder.DropIndex(
                name: "IX_Operations_Volume",
                table: "Operations");

            migrationBuilder.DropColumn(
                name: "Volume",
                table: "Operations");
        }
    }
}
